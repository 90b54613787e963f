// The optimiser's arithmetic in one pass over memory: libtorch 1.13 would take one pass for each of its operations.
// Compiled without contraction of a·b + c, so the bits don't depend on the processor.
#include <ATen/Parallel.h>
#include <ATen/ops/empty_strided.h>

#include <algorithm>
#include <vector>

#include "shim.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define KT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KT_CLONES
#endif

using namespace kinora;

namespace {

constexpr int64_t kChunk = 1 << 15;  // elements of one unit of work: fixed, so that sums don't depend on threads

KT_CLONES void sgd_chunk(float* p, const float* g, float* v, int64_t n, float rate, float decay, float momentum,
                         bool nesterov) {
  if (nesterov) {
    for (int64_t i = 0; i < n; i++) {
      const float d = g[i] + decay * p[i];
      const float next = momentum * v[i] + d;
      v[i] = next;
      p[i] -= rate * (d + momentum * next);
    }
  } else {
    for (int64_t i = 0; i < n; i++) {
      const float next = momentum * v[i] + (g[i] + decay * p[i]);
      v[i] = next;
      p[i] -= rate * next;
    }
  }
}

KT_CLONES void sgd_chunk(double* p, const double* g, double* v, int64_t n, double rate, double decay, double momentum,
                         bool nesterov) {
  if (nesterov) {
    for (int64_t i = 0; i < n; i++) {
      const double d = g[i] + decay * p[i];
      const double next = momentum * v[i] + d;
      v[i] = next;
      p[i] -= rate * (d + momentum * next);
    }
  } else {
    for (int64_t i = 0; i < n; i++) {
      const double next = momentum * v[i] + (g[i] + decay * p[i]);
      v[i] = next;
      p[i] -= rate * next;
    }
  }
}

// Eight partial sums in a fixed order.
template <class T>
inline double squares(const T* x, int64_t n) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; k++) {
      sums[k] += static_cast<double>(x[i + k]) * static_cast<double>(x[i + k]);
    }
  }
  for (; i < n; i++) {
    sums[i % 8] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

KT_CLONES double squares_chunk(const float* x, int64_t n) { return squares(x, n); }
KT_CLONES double squares_chunk(const double* x, int64_t n) { return squares(x, n); }

struct Row {
  int32_t index;
  int64_t start;
  int64_t count;
};

std::vector<Row> rows_of(int32_t count, const std::vector<at::Tensor>& tensors) {
  std::vector<Row> rows;
  for (int32_t i = 0; i < count; i++) {
    for (int64_t start = 0; start < tensors[i].numel(); start += kChunk) {
      rows.push_back({i, start, std::min(kChunk, tensors[i].numel() - start)});
    }
  }
  return rows;
}

// Whether two tensors of one shape keep their elements in the same order; strides of single elements say nothing.
bool same_order(const at::Tensor& a, const at::Tensor& b) {
  for (int64_t d = 0; d < a.dim(); d++) {
    if (a.size(d) != 1 && a.stride(d) != b.stride(d)) {
      return false;
    }
  }
  return true;
}

std::vector<at::Tensor> list_of(int32_t count, const kt_tensor* handles, const char* role) {
  std::vector<at::Tensor> list;
  list.reserve(count);
  for (int32_t i = 0; i < count; i++) {
    list.push_back(peek(handles[i]));
    TORCH_CHECK(list[i].scalar_type() == at::kFloat || list[i].scalar_type() == at::kDouble, role, " ", i, " is ",
                list[i].scalar_type(), ", not float32 or float64");
    TORCH_CHECK(list[i].is_cpu() && list[i].is_non_overlapping_and_dense(), role, " ", i, " isn't dense in CPU memory");
  }
  return list;
}

}  // namespace

kt_status kt_sgd(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients, const kt_tensor* velocities,
                 const double* rates, const double* decays, double momentum, int32_t nesterov) noexcept {
  return guarded([&] {
    const auto p = list_of(count, parameters, "parameter");
    auto g = list_of(count, gradients, "gradient");
    auto v = list_of(count, velocities, "velocity");
    // The loop walks all three in memory order, so those in another order than their parameter are copied over.
    for (int32_t i = 0; i < count; i++) {
      for (at::Tensor* other : {&g[i], &v[i]}) {
        TORCH_CHECK(p[i].scalar_type() == other->scalar_type() && p[i].sizes() == other->sizes(), "parameter ", i, " ",
                    p[i].scalar_type(), " ", p[i].sizes(), " has a gradient or velocity ", other->scalar_type(), " ",
                    other->sizes());
        if (!same_order(p[i], *other)) {
          *other = at::empty_strided(p[i].sizes(), p[i].strides(), p[i].options()).copy_(*other);
        }
      }
    }
    const std::vector<Row> rows = rows_of(count, p);
    at::parallel_for(0, static_cast<int64_t>(rows.size()), 1, [&](int64_t first, int64_t stop) {
      for (int64_t r = first; r < stop; r++) {
        const Row& row = rows[r];
        const int32_t i = row.index;
        if (p[i].scalar_type() == at::kFloat) {
          sgd_chunk(static_cast<float*>(p[i].data_ptr()) + row.start,
                    static_cast<const float*>(g[i].data_ptr()) + row.start,
                    static_cast<float*>(v[i].data_ptr()) + row.start, row.count, static_cast<float>(rates[i]),
                    static_cast<float>(decays[i]), static_cast<float>(momentum), nesterov != 0);
        } else {
          sgd_chunk(static_cast<double*>(p[i].data_ptr()) + row.start,
                    static_cast<const double*>(g[i].data_ptr()) + row.start,
                    static_cast<double*>(v[i].data_ptr()) + row.start, row.count, rates[i], decays[i], momentum,
                    nesterov != 0);
        }
      }
    });
    for (int32_t i = 0; i < count; i++) {
      const at::Tensor velocity = peek(velocities[i]);
      if (!velocity.is_same(v[i])) {
        velocity.copy_(v[i]);
      }
    }
    // Saved graphs must notice that their parameters changed.
    for (const at::Tensor& parameter : p) {
      parameter.unsafeGetTensorImpl()->bump_version();
    }
  });
}

kt_status kt_squared_norm(int32_t count, const kt_tensor* tensors, double* sum) noexcept {
  return guarded([&] {
    const auto list = list_of(count, tensors, "tensor");
    const std::vector<Row> rows = rows_of(count, list);
    std::vector<double> parts(rows.size());
    at::parallel_for(0, static_cast<int64_t>(rows.size()), 1, [&](int64_t first, int64_t stop) {
      for (int64_t r = first; r < stop; r++) {
        const Row& row = rows[r];
        const at::Tensor& tensor = list[row.index];
        parts[r] = tensor.scalar_type() == at::kFloat
            ? squares_chunk(static_cast<const float*>(tensor.data_ptr()) + row.start, row.count)
            : squares_chunk(static_cast<const double*>(tensor.data_ptr()) + row.start, row.count);
      }
    });
    *sum = 0;
    for (double part : parts) {
      *sum += part;
    }
  });
}
