//! mesibo
