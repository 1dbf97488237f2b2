//! venueless
