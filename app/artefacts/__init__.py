"""Model artefacts made, checked and measured: what stands behind `headrace models`."""
