//! The gate `role`: what subjects may do in a group, by their role and the group's matrix.

mod admitted;
mod denials;
mod description;
mod gate;
mod group;
mod matrix;

pub(super) use gate::RoleGate;
