use super::*;
use crate::contracts::samples;

#[test]
fn the_shop() {
    let model = samples::shop();
    let mut lock = WireLock::default();
    let text = proto(&model, &model.services["orders"], &mut lock);
    println!("{text}\n{lock}");
    let model = samples::everything();
    let text = proto(&model, &model.services["store"], &mut lock);
    println!("{text}");
    let pb = crate::contracts::pb::pb(&path(&model, &model.services["store"]), &text).unwrap();
    std::fs::write("/tmp/store.rs", pb.rust).unwrap();
}
