//! The target `matrix` below libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| peerage_fuzz::targets::run("matrix", input));
