//! Labels and detectors.
