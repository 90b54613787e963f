// Kernels for every processor.
#define KT_TABLE kernels_baseline
#define KT_WIDTH 4
#include "kernels.inl"
