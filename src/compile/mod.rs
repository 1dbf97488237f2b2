//! The compiler from a policy to a view: the only bridge between what authors write and what decisions
//! read.
//!
//! A condition is set algebra over the users of each tag, so a policy compiles in bulk and not user
//! by user. What a previous view holds already is reused: the population when the files say the same
//! about users, and each tag's reachers when the rules that name it have the same conditions.
//!
//! With facts, what files declare is merged (`merge`) with what records say; a view then follows each
//! change of a record, and each reload of the files, without another build.
//!
//! Invariant: one function in, one view out; it reads no file and no clock.

mod advance;
mod apply_files;
mod apply_records;
mod assemble;
mod barriers;
mod build;
mod concerned;
mod declarations;
mod digest;
mod facts_source;
mod find_shadowed;
mod groups;
mod lint_input;
pub(crate) mod merge;
mod overlay;
mod policy_base;
mod population;
mod record_collector;
mod restrictions;
mod rules;
mod shadowed;
mod slice;
mod statement_spans;
mod user_states;
mod versions;
mod windows;
mod with_records;

pub use advance::{Advance, advance, advance_with_records};
pub use apply_records::{apply_records, replay_changes};
pub use assemble::compile;
pub use build::{BuildOutput, build, build_with_lints};
pub use concerned::concerned_by_records;
pub use declarations::Declarations;
pub use facts_source::{FactsSource, NoFacts};
pub use policy_base::PolicyBase;
pub use restrictions::RestrictionChange;
pub use shadowed::ShadowedFact;
pub use statement_spans::StatementSpans;
pub use versions::{VersionPair, Versions, build_over, build_versions};
pub use with_records::{build_with_records, rebuild};
