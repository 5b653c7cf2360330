//! Programs of others that say what is right.

pub mod java;
