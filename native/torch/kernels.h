// Loops of the training step that libtorch 1.13 does slowly on the CPU. Plain pointers in, plain pointers out: who
// calls them owns memory, threads and gradients. All images are channels-last: rows of C channels, one row a pixel.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kinora {

enum class Nonlinearity : int32_t { none = 0, relu = 1, relu6 = 2 };

// Element types of images. Arithmetic is in float32 for both.
struct BFloat16 {
  uint16_t bits;
};

// ---- batch normalisation: C channels of float32 statistics and parameters ----

// Mean and sum of squared distances from it over some rows. T: float or BFloat16.
template <class T>
void moments(const T* x, int64_t rows, int64_t channels, float* mean, float* squares);

// y = f(x * scale + shift).
template <class T>
void normalise(const T* x, T* y, int64_t rows, int64_t channels, const float* scale, const float* shift,
               Nonlinearity f);

// With g the gradient of y taken back through f: sums of g and of g * (x - mean) over some rows.
template <class T>
void gradient_sums(const T* x, const T* gradient, int64_t rows, int64_t channels, const float* scale,
                   const float* shift, const float* mean, Nonlinearity f, float* sum, float* product);

// g * a + x * b + c, the gradient of x.
template <class T>
void normalise_backward(const T* x, const T* gradient, T* result, int64_t rows, int64_t channels, const float* scale,
                        const float* shift, Nonlinearity f, const float* a, const float* b, const float* c);

// ---- relu6 ----
// gradient where 0 < y < 6, else zero.
template <class T>
void relu6_backward(const T* y, const T* gradient, T* result, int64_t count);

// ---- depthwise convolution, float32; channels a multiple of kDepthwiseBlock ----
constexpr int64_t kDepthwiseBlock = 16;

struct Depthwise {
  int64_t channels;
  int64_t height, width;        // of the input
  int64_t out_height, out_width;
  int64_t kernel_height, kernel_width;
  int64_t stride_down, stride_across;
  int64_t pad_top, pad_left;
};

constexpr int64_t kMaxKernel = 7;

// Gradient of one row of one input image. weight: [taps, C].
void depthwise_row_backward(const Depthwise& d, const float* weight, const float* gradient, float* result, int64_t row);

// Adds to the gradient of the weights, [taps, C], what one image says about channels [first, first + block).
void depthwise_weight_backward(const Depthwise& d, const float* image, const float* gradient, float* result,
                               int64_t first);

}  // namespace kinora
