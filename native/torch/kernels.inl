// The kernels for one level of the processor: included by one file for each, which is compiled for that level and
// defines KT_TABLE (the name of its table) and KT_WIDTH (floats in a register). Everything here has internal linkage and
// nothing of the standard library is instantiated, or the linker might take one level's copy for another.
#include <cstring>

#include "kernels.h"

#define KT_INLINE static inline __attribute__((always_inline))
#define KT_RESTRICT __restrict__

namespace kinora {
namespace {

constexpr int64_t kLanes = KT_WIDTH;
constexpr int kBlockParts = kDepthwiseBlock / KT_WIDTH;
typedef float Lanes __attribute__((vector_size(KT_WIDTH * sizeof(float)), aligned(4), may_alias));
typedef float Register __attribute__((vector_size(KT_WIDTH * sizeof(float))));

KT_INLINE Register load(const float* p) { return *reinterpret_cast<const Lanes*>(p); }
KT_INLINE void store(float* p, Register v) { *reinterpret_cast<Lanes*>(p) = v; }

KT_INLINE float load_one(const float* p) { return *p; }
KT_INLINE void store_one(float* p, float v) { *p = v; }

KT_INLINE float load_one(const BFloat16* p) {
  const uint32_t word = static_cast<uint32_t>(p->bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

// To nearest, ties to even; every NaN becomes the same quiet one.
KT_INLINE void store_one(BFloat16* p, float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof word);
  const uint32_t rounded = (word + 0x7FFF + ((word >> 16) & 1)) >> 16;
  p->bits = static_cast<uint16_t>((word & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : rounded);
}

template <Nonlinearity F>
KT_INLINE float apply(float v) {
  if (F == Nonlinearity::relu || F == Nonlinearity::relu6) {
    v = v > 0 ? v : (v != v ? v : 0);
  }
  if (F == Nonlinearity::relu6) {
    v = v < 6 ? v : (v != v ? v : 6);
  }
  return v;
}

template <Nonlinearity F>
KT_INLINE float passed(float y, float gradient) {
  switch (F) {
    case Nonlinearity::none: return gradient;
    case Nonlinearity::relu: return y > 0 ? gradient : 0;
    default: return (y > 0) & (y < 6) ? gradient : 0;
  }
}

template <class T>
KT_INLINE void moments_of(const T* KT_RESTRICT x, int64_t rows, int64_t channels, float* KT_RESTRICT mean,
                          float* KT_RESTRICT squares) {
  for (int64_t c = 0; c < channels; c++) {
    mean[c] = 0;
    squares[c] = 0;
  }
  for (int64_t r = 0; r < rows; r++) {
    const T* row = x + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      mean[c] += load_one(row + c);
    }
  }
  const float share = 1.0f / static_cast<float>(rows);
  for (int64_t c = 0; c < channels; c++) {
    mean[c] *= share;
  }
  for (int64_t r = 0; r < rows; r++) {
    const T* row = x + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float d = load_one(row + c) - mean[c];
      squares[c] += d * d;
    }
  }
}

template <Nonlinearity F, class T>
KT_INLINE void normalise_of(const T* KT_RESTRICT x, T* KT_RESTRICT y, int64_t rows, int64_t channels,
                            const float* KT_RESTRICT scale, const float* KT_RESTRICT shift) {
  for (int64_t r = 0; r < rows; r++) {
    const T* from = x + r * channels;
    T* to = y + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      store_one(to + c, apply<F>(load_one(from + c) * scale[c] + shift[c]));
    }
  }
}

template <Nonlinearity F, class T>
KT_INLINE void sums_of(const T* KT_RESTRICT x, const T* KT_RESTRICT gradient, int64_t rows, int64_t channels,
                       const float* KT_RESTRICT scale, const float* KT_RESTRICT shift, const float* KT_RESTRICT mean,
                       float* KT_RESTRICT sum, float* KT_RESTRICT product) {
  for (int64_t c = 0; c < channels; c++) {
    sum[c] = 0;
    product[c] = 0;
  }
  for (int64_t r = 0; r < rows; r++) {
    const T* xs = x + r * channels;
    const T* gs = gradient + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float v = load_one(xs + c);
      const float g = passed<F>(v * scale[c] + shift[c], load_one(gs + c));
      sum[c] += g;
      product[c] += g * (v - mean[c]);
    }
  }
}

template <Nonlinearity F, class T>
KT_INLINE void backward_of(const T* KT_RESTRICT x, const T* KT_RESTRICT gradient, T* KT_RESTRICT result, int64_t rows,
                           int64_t channels, const float* KT_RESTRICT scale, const float* KT_RESTRICT shift,
                           const float* KT_RESTRICT a, const float* KT_RESTRICT b, const float* KT_RESTRICT c0) {
  for (int64_t r = 0; r < rows; r++) {
    const T* xs = x + r * channels;
    const T* gs = gradient + r * channels;
    T* to = result + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float v = load_one(xs + c);
      const float g = passed<F>(v * scale[c] + shift[c], load_one(gs + c));
      store_one(to + c, g * a[c] + (v * b[c] + c0[c]));
    }
  }
}

template <class T>
void moments(const T* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  moments_of(x, rows, channels, mean, squares);
}

template <class T>
void normalise(const T* x, T* y, int64_t rows, int64_t channels, const float* scale, const float* shift,
               Nonlinearity f) {
  switch (f) {
    case Nonlinearity::none: return normalise_of<Nonlinearity::none>(x, y, rows, channels, scale, shift);
    case Nonlinearity::relu: return normalise_of<Nonlinearity::relu>(x, y, rows, channels, scale, shift);
    default: return normalise_of<Nonlinearity::relu6>(x, y, rows, channels, scale, shift);
  }
}

template <class T>
void gradient_sums(const T* x, const T* gradient, int64_t rows, int64_t channels, const float* scale,
                   const float* shift, const float* mean, Nonlinearity f, float* sum, float* product) {
  switch (f) {
    case Nonlinearity::none:
      return sums_of<Nonlinearity::none>(x, gradient, rows, channels, scale, shift, mean, sum, product);
    case Nonlinearity::relu:
      return sums_of<Nonlinearity::relu>(x, gradient, rows, channels, scale, shift, mean, sum, product);
    default: return sums_of<Nonlinearity::relu6>(x, gradient, rows, channels, scale, shift, mean, sum, product);
  }
}

template <class T>
void normalise_backward(const T* x, const T* gradient, T* result, int64_t rows, int64_t channels, const float* scale,
                        const float* shift, Nonlinearity f, const float* a, const float* b, const float* c) {
  switch (f) {
    case Nonlinearity::none:
      return backward_of<Nonlinearity::none>(x, gradient, result, rows, channels, scale, shift, a, b, c);
    case Nonlinearity::relu:
      return backward_of<Nonlinearity::relu>(x, gradient, result, rows, channels, scale, shift, a, b, c);
    default: return backward_of<Nonlinearity::relu6>(x, gradient, result, rows, channels, scale, shift, a, b, c);
  }
}

template <class T>
void relu6_backward(const T* KT_RESTRICT y, const T* KT_RESTRICT gradient, T* KT_RESTRICT result, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    store_one(result + i, passed<Nonlinearity::relu6>(load_one(y + i), load_one(gradient + i)));
  }
}

// PARTS registers of channels of one input row, from channel first on.
template <int PARTS>
KT_INLINE void row_backward(const Depthwise& d, const Taps& rows, const Taps* all_columns, const float* weight,
                            const float* gradient, float* result, int64_t first) {
  for (int64_t w = 0; w < d.width; w++) {
    const Taps& columns = all_columns[w];
    Register sums[PARTS] = {};
    for (int64_t i = 0; i < rows.count; i++) {
      const float* gradients = gradient + rows.cell[i] * d.out_width * d.channels + first;
      const float* weights = weight + rows.tap[i] * d.kernel_width * d.channels + first;
      for (int64_t j = 0; j < columns.count; j++) {
        const float* g = gradients + columns.cell[j] * d.channels;
        const float* k = weights + columns.tap[j] * d.channels;
        for (int p = 0; p < PARTS; p++) {
          sums[p] += load(g + p * kLanes) * load(k + p * kLanes);
        }
      }
    }
    for (int p = 0; p < PARTS; p++) {
      store(result + w * d.channels + first + p * kLanes, sums[p]);
    }
  }
}

void depthwise_row_backward(const Depthwise& d, const Taps& rows, const Taps* columns, const float* weight,
                            const float* gradient, float* result) {
  int64_t first = 0;
  for (; first + 4 * kDepthwiseBlock <= d.channels; first += 4 * kDepthwiseBlock) {
    row_backward<4 * kBlockParts>(d, rows, columns, weight, gradient, result, first);
  }
  for (; first < d.channels; first += kDepthwiseBlock) {
    row_backward<kBlockParts>(d, rows, columns, weight, gradient, result, first);
  }
}

// One row of the kernel against one image: the sums of its taps stay in registers along each row of the output.
template <int TAPS>
KT_INLINE void weight_row(const Depthwise& d, const float* image, const float* gradient, int64_t kernel_row,
                          float* result) {
  // Outputs [low, high) meet all taps of the kernel's row.
  int64_t low = (d.pad_left + d.stride_across - 1) / d.stride_across;
  int64_t high = d.width - TAPS + d.pad_left < 0 ? 0 : (d.width - TAPS + d.pad_left) / d.stride_across + 1;
  low = low < d.out_width ? low : d.out_width;
  high = high < d.out_width ? high : d.out_width;
  high = high < low ? low : high;
  Register sums[TAPS][kBlockParts] = {};
  for (int64_t o = 0; o < d.out_height; o++) {
    const int64_t h = o * d.stride_down - d.pad_top + kernel_row;
    if (h < 0 || h >= d.height) {
      continue;
    }
    const float* image_row = image + h * d.width * d.channels;
    const float* gradient_row = gradient + o * d.out_width * d.channels;
    for (int64_t w = low; w < high; w++) {
      const float* x = image_row + (w * d.stride_across - d.pad_left) * d.channels;
      Register g[kBlockParts];
      for (int p = 0; p < kBlockParts; p++) {
        g[p] = load(gradient_row + w * d.channels + p * kLanes);
      }
      for (int k = 0; k < TAPS; k++) {
        for (int p = 0; p < kBlockParts; p++) {
          sums[k][p] += g[p] * load(x + k * d.channels + p * kLanes);
        }
      }
    }
    for (int64_t w = low > 0 ? 0 : high; w < d.out_width; w = w + 1 == low ? high : w + 1) {
      for (int k = 0; k < TAPS; k++) {
        const int64_t from = w * d.stride_across - d.pad_left + k;
        if (from >= 0 && from < d.width) {
          for (int p = 0; p < kBlockParts; p++) {
            sums[k][p] += load(gradient_row + w * d.channels + p * kLanes) *
                load(image_row + from * d.channels + p * kLanes);
          }
        }
      }
    }
  }
  for (int k = 0; k < TAPS; k++) {
    for (int p = 0; p < kBlockParts; p++) {
      float* to = result + k * d.channels + p * kLanes;
      store(to, load(to) + sums[k][p]);
    }
  }
}

void depthwise_weight_backward(const Depthwise& d, const float* image, const float* gradient, float* result,
                               int64_t first) {
  image += first;
  gradient += first;
  result += first;
  for (int64_t row = 0; row < d.kernel_height; row++, result += d.kernel_width * d.channels) {
    switch (d.kernel_width) {
      case 1: weight_row<1>(d, image, gradient, row, result); break;
      case 2: weight_row<2>(d, image, gradient, row, result); break;
      case 3: weight_row<3>(d, image, gradient, row, result); break;
      case 4: weight_row<4>(d, image, gradient, row, result); break;
      case 5: weight_row<5>(d, image, gradient, row, result); break;
      case 6: weight_row<6>(d, image, gradient, row, result); break;
      default: weight_row<7>(d, image, gradient, row, result); break;
    }
  }
}

template <class T>
constexpr ImageKernels<T> image_table() {
  return {moments<T>, normalise<T>, gradient_sums<T>, normalise_backward<T>, relu6_backward<T>};
}

}  // namespace

const Kernels KT_TABLE = {image_table<float>(), image_table<BFloat16>(), depthwise_row_backward,
                          depthwise_weight_backward};

}  // namespace kinora
