use super::*;
use crate::contracts::samples;

#[test]
fn write_it() {
    for (name, model) in [("orders", samples::shop()), ("catalogue", samples::shop()), ("store", samples::everything())] {
        let text = serde_json::to_string_pretty(&openapi(&model, &model.services[name])).unwrap();
        std::fs::write(format!("/tmp/{name}.json"), text).unwrap();
    }
}
