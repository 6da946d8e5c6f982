//! One file per command.

pub(crate) mod cases;
pub(crate) mod demo;
pub(crate) mod endpoints;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod labels;
pub(crate) mod manual;
pub(crate) mod prices;
pub(crate) mod report;
pub(crate) mod rescan;
pub(crate) mod trace;
