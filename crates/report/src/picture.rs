//! What drawings share: how heavy a flow is, where a node stands, which nodes are drawn as one.
//!
//! Widths and places are drawing, not accounting: they may be fractions. Every amount that is written beside them
//! comes from the report.

mod bundles;
mod claims;
mod lettering;
mod place;
mod raster;
mod river;
mod sankey;
mod svg;
mod weight;

pub(crate) use bundles::{Bundle, bundles};
pub(crate) use place::{Places, place};
pub(crate) use raster::{tree, write as write_png};
pub(crate) use svg::{Dress, stop_class, to_svg, write};
pub(crate) use weight::Weights;
