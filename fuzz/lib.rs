//! The targets of fuzzing, for the programs that run them below libFuzzer.

pub mod targets;
