//! Any bytes as a design: understood, planned and read without a panic. The same as `tests/tests/fuzz.rs`, with a fuzzer
//! that sees which code its inputs reach.

#![no_main]

use generator::{contracts::wire::WireLock, plan};
use libfuzzer_sys::fuzz_target;
use tests::{designed::sources, readable};

fuzz_target!(|bytes: &[u8]| {
    let sources = sources(&String::from_utf8_lossy(bytes));
    if let Ok(model) = generator::understand(&sources) {
        let plan = plan::plan(&model, &[], WireLock::default()).expect("whatever is checked can be planned");
        assert_eq!(readable::complaints(&plan), Vec::<String>::new());
    }
});
