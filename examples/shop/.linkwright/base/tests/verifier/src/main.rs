//! Verifies one interaction of a pact, read from the standard input: `pact-verifier SERVICE STATES MESSAGES`, each an
//! address `http://127.0.0.1:40123`. What the service does not keep is said on the standard error, a line each.

use std::{env, io::Read, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use pact_verifier::{
    FilterInfo, NullRequestFilterExecutor, PactSource, ProviderInfo, ProviderTransport, VerificationOptions,
    callback_executors::HttpRequestProviderStateExecutor, verification_result::VerificationMismatchResult,
    verify_provider_async,
};

fn main() -> ExitCode {
    match verify() {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            broken.iter().for_each(|line| eprintln!("{}", line.replace('\n', " ")));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn verify() -> Result<Vec<String>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [service, states, messages] = arguments.as_slice() else {
        bail!("usage: pact-verifier SERVICE STATES MESSAGES < PACT");
    };
    let mut pact = String::new();
    std::io::stdin().read_to_string(&mut pact)?;
    let provider = ProviderInfo {
        host: "127.0.0.1".into(),
        transports: vec![transport("http", service)?, transport("message", messages)?],
        ..ProviderInfo::default()
    };
    let states = Arc::new(HttpRequestProviderStateExecutor {
        state_change_url: Some(states.clone()),
        retries: 0,
        ..HttpRequestProviderStateExecutor::default()
    });
    let options = VerificationOptions::<NullRequestFilterExecutor> {
        request_timeout: 20_000,
        coloured_output: false,
        follow_redirects: false,
        ..VerificationOptions::default()
    };
    let verified = verify_provider_async(
        provider,
        vec![PactSource::String(pact)],
        FilterInfo::None,
        Vec::new(),
        &options,
        None,
        &states,
        None,
    );
    let verified = tokio::runtime::Runtime::new()?.block_on(verified)?;
    if verified.errors.is_empty() && verified.interaction_results.is_empty() {
        bail!("the pact has no interaction");
    }
    // What is pending in the pact may be broken.
    Ok(verified.errors.iter().flat_map(|(_, mismatch)| lines(mismatch)).collect())
}

fn transport(name: &str, address: &str) -> Result<ProviderTransport> {
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = Some(port.with_context(|| format!("{address:?} has no port"))?);
    Ok(ProviderTransport { transport: name.into(), port, path: None, scheme: Some("http".into()) })
}

fn lines(mismatch: &VerificationMismatchResult) -> Vec<String> {
    match mismatch {
        VerificationMismatchResult::Mismatches { mismatches, .. } => {
            mismatches.iter().map(|mismatch| mismatch.description()).collect()
        }
        VerificationMismatchResult::Error { error, .. } => vec![error.clone()],
    }
}
