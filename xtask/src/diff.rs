//! `diff`: what has changed between two designs for those who call and hear.

use generator::diff::{self, Difference, Severity, show};

use crate::{
    Session,
    output::{Exit, Problem, Record},
    versions::Designed,
};

/// Say what has changed between two designs, and what of it breaks callers
///
/// OLD and NEW are folders with a design.toml, design files, revisions of git (REV: the design of this folder then), or
/// REV:PATH. Where a file or folder and a revision have one name, it is the file or folder.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    /// The design that callers know
    #[arg(required_unless_present = "rules")]
    pub old: Option<String>,
    /// The design that they will meet
    #[arg(required_unless_present = "rules")]
    pub new: Option<String>,
    /// Print the rules: what each change is to each kind of contract, and why
    #[arg(long, conflicts_with_all = ["old", "new"])]
    pub rules: bool,
}

pub fn run(session: &mut Session, args: &Args) -> Result<Exit, Problem> {
    let (Some(old), Some(new)) = (&args.old, &args.new) else {
        write!(session.output.out, "{}", show::rules())?;
        return Ok(Exit::Done);
    };
    let (old, new) = (Designed::at(old)?, Designed::at(new)?);
    let differences = diff::diff(old.version(), new.version());
    say(session, &differences, (&old, &new))?;
    let count = |severity| differences.iter().filter(|difference| difference.severity == severity).count();
    let [breaking, notable, compatible] = [Severity::Breaking, Severity::Notable, Severity::Compatible].map(count);
    session.output.note(&format!("{breaking} breaking, {notable} notable, {compatible} compatible"))?;
    Ok(if breaking > 0 { Exit::Changes } else { Exit::Done })
}

/// What `check --against` refuses: what breaks somebody. Who is still served by an old version is not.
pub fn refused(session: &mut Session, old: &Designed, new: &Designed) -> Result<bool, Problem> {
    let mut differences = diff::diff(old.version(), new.version());
    differences.retain(Difference::breaks);
    say(session, &differences, (old, new))?;
    Ok(!differences.is_empty())
}

fn say(session: &mut Session, differences: &[Difference], (old, new): (&Designed, &Designed)) -> Result<(), Problem> {
    let texts = show::Texts::new(&old.sources, &new.sources);
    for difference in differences {
        let text = texts.render(difference, session.output.color);
        session.output.result(&Record::Difference(&texts.entry(difference)), &text)?;
    }
    Ok(())
}
