//! backend-stark
