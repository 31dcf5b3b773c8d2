//! The development account's workflow: from a released snapshot to the development database.
