//! The production account's workflow: from the newest snapshot to a masked one that development may have.
