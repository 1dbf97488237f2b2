//! The source of facts: where a build reads records from.

use std::convert::Infallible;

use crate::facts::{Record, RecordKey, RecordKind};

/// The facts of a daemon without a store.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoFacts;

impl FactsSource for NoFacts {
    type Error = Infallible;

    fn get(&self, _: &RecordKey) -> Result<Option<Record>, Infallible> {
        Ok(None)
    }

    fn each(&self, _: RecordKind, _: &mut dyn FnMut(RecordKey, Record)) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The source of the records with which a view is compiled.
pub trait FactsSource {
    type Error;

    /// The record of a key, if there is one.
    ///
    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &RecordKey) -> Result<Option<Record>, Self::Error>;

    /// Calls `each` with all records of a kind, in order.
    ///
    /// # Errors
    /// If they can't be read.
    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), Self::Error>;

    /// Calls `each` with all records, in any order, as of one revision, which it returns.
    ///
    /// # Errors
    /// If they can't be read.
    fn all(&self, each: &mut dyn FnMut(RecordKey, Record)) -> Result<u64, Self::Error> {
        for kind in RecordKind::ALL {
            self.each(kind, each)?;
        }
        Ok(0)
    }
}
