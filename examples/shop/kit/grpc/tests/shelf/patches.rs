//! Merge patches as a message and its mask.

use kit_grpc::{Mask, Proto};
use prost_types::FieldMask;

use crate::{contract::*, messages::item, pb};

fn read(message: pb::Item, paths: Option<&[&str]>) -> Result<ItemPatch, kit::Failure> {
    let update_mask = paths.map(|paths| FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
    ItemPatch::decode((message, Mask::from(update_mask)))
}

#[test]
fn a_patch_comes_back_as_it_went() {
    let price = MoneyPatch { amount: None, currency: Some(Currency::Usd) };
    for patch in [
        ItemPatch::default(),
        ItemPatch { price: Some(price), ..ItemPatch::default() },
        ItemPatch { stock: Some(0), r#type: Some(1), ..ItemPatch::default() },
        ItemPatch { best_before: Some(None), tags: Some(None), part: Some(None), ..ItemPatch::default() },
        ItemPatch { accepted: Some(vec![]), tags: Some(Some(vec![])), ..ItemPatch::default() },
        ItemPatch { part: Some(Some(PartPatch { name: Some("a".into()) })), ..ItemPatch::default() },
        ItemPatch {
            bins: Some([(Currency::Eur, Some(1)), (Currency::Unrecognised("a.b".into()), None)].into()),
            ..ItemPatch::default()
        },
    ] {
        let sent: pb::UpdateItemRequest = (item().id, patch.clone(), None).encode();
        let (_, back, _) = <(ItemId, ItemPatch, Option<kit::Etag>)>::decode(sent).unwrap();
        assert_eq!(back, patch);
    }
}

#[test]
fn the_mask_decides_and_without_one_what_is_there() {
    let message = pb::Item { stock: Some(5), bins: [("eur".into(), 2)].into(), ..pb::Item::default() };
    let stock = ItemPatch { stock: Some(5), ..ItemPatch::default() };
    let bins = Some([(Currency::Eur, Some(2))].into());
    assert_eq!(read(message.clone(), Some(&["stock"])), Ok(stock.clone()));
    assert_eq!(read(message.clone(), None), Ok(ItemPatch { bins: bins.clone(), ..stock }));
    assert_eq!(read(message.clone(), Some(&["bins"])), Ok(ItemPatch { bins, ..ItemPatch::default() }));
    assert_eq!(read(message.clone(), Some(&[])), Ok(ItemPatch::default()));
    let removed = Some([(Currency::Usd, None)].into());
    assert_eq!(read(message, Some(&["bins.usd"])), Ok(ItemPatch { bins: removed, ..ItemPatch::default() }));
    let all = read(item().encode(), Some(&["*"])).unwrap();
    assert_eq!((all.stock, all.best_before), (Some(i64::MIN), Some(item().best_before)));
}

#[test]
fn what_cannot_be_patched_is_refused() {
    for (paths, detail) in [
        (["id"], "update_mask: \"id\" is no field that can be changed"),
        (["stock.x"], "update_mask: \"stock.x\" is no field that can be changed"),
        (["price.x"], "price.update_mask: \"x\" is no field that can be changed"),
        ([""], "update_mask: \"\" is no field that can be changed"),
        (["stock"], "stock: missing"),
        (["type"], "type: missing"),
        (["price"], "price: missing"),
        (["price.amount"], "price.amount: missing"),
    ] {
        assert_eq!(read(pb::Item::default(), Some(&paths)).unwrap_err().detail, detail);
    }
}
