use std::sync::Arc;

use kit::Operation;

/// One service, some operations of which have a way of their own: another transport, another link, the queue.
///
/// A contract makes `Ways<dyn Inventory>` an `Inventory`, so that its caller holds one and cannot tell.
#[derive(Debug)]
pub struct Ways<T: ?Sized> {
    most: Arc<T>,
    own: Vec<(&'static Operation, Arc<T>)>,
}

impl<T: ?Sized> Ways<T> {
    /// `most` is for what has no way of its own.
    pub fn new(most: Arc<T>) -> Self {
        Self { most, own: Vec::new() }
    }

    /// Lets one operation go another way.
    pub fn with(mut self, operation: &'static Operation, way: Arc<T>) -> Self {
        self.own.push((operation, way));
        self
    }

    /// The way of an operation.
    pub fn of(&self, operation: &Operation) -> &T {
        let own = self.own.iter().find(|(named, _)| *named == operation);
        own.map_or(&self.most, |(_, way)| way)
    }
}

#[cfg(test)]
mod tests {
    use kit::Safety;

    use super::*;

    static RESTOCK: Operation = Operation { service: "inventory", name: "restock", safety: Safety::Unsafe };
    static LOOK: Operation = Operation { service: "inventory", name: "look", safety: Safety::Safe };

    #[test]
    fn an_operation_goes_its_own_way_or_that_of_most() {
        let ways = Ways::<str>::new("grpc".into()).with(&RESTOCK, "queue".into());
        assert_eq!((ways.of(&RESTOCK), ways.of(&LOOK)), ("queue", "grpc"));
    }
}
