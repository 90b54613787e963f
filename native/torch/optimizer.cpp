// The optimiser's arithmetic in one pass over memory: libtorch 1.13 would take one pass for each of its operations.
// Compiled without contraction of a·b + c, so the bits don't depend on the processor.
#include <ATen/Parallel.h>
#include <ATen/ops/empty_strided.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "optimizer_general.h"
#include "shim.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define KT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KT_CLONES
#endif

using namespace kinora;

namespace {

constexpr int64_t kChunk = 1 << 15;  // elements of one unit of work: fixed, so that sums don't depend on threads

// Each rule is one template, inlined into the loops that are compiled for every level of the processor.
#define KT_INLINE inline __attribute__((always_inline))

template <class T>
KT_INLINE void sgd(T* p, const T* g, T* v, int64_t n, T rate, T decay, T momentum, bool nesterov) {
  if (nesterov) {
    for (int64_t i = 0; i < n; i++) {
      const T d = g[i] + decay * p[i];
      const T next = momentum * v[i] + d;
      v[i] = next;
      p[i] -= rate * (d + momentum * next);
    }
  } else {
    for (int64_t i = 0; i < n; i++) {
      const T next = momentum * v[i] + (g[i] + decay * p[i]);
      v[i] = next;
      p[i] -= rate * next;
    }
  }
}

template <class T>
struct RmsProp {
  T rate, decay, rho, one_minus_rho, epsilon, momentum;
};

template <class T>
KT_INLINE void rmsprop(T* p, const T* g, T* square, T* mean, T* m, int64_t n, const RmsProp<T>& c) {
  if (mean == nullptr) {
    for (int64_t i = 0; i < n; i++) {
      const T d = g[i] + c.decay * p[i];
      const T s = c.rho * square[i] + c.one_minus_rho * d * d;
      const T next = c.momentum * m[i] + c.rate * d / std::sqrt(s + c.epsilon);
      square[i] = s;
      m[i] = next;
      p[i] -= next;
    }
  } else {
    for (int64_t i = 0; i < n; i++) {
      const T d = g[i] + c.decay * p[i];
      const T s = c.rho * square[i] + c.one_minus_rho * d * d;
      const T a = c.rho * mean[i] + c.one_minus_rho * d;
      const T next = c.momentum * m[i] + c.rate * d / std::sqrt(s - a * a + c.epsilon);
      square[i] = s;
      mean[i] = a;
      m[i] = next;
      p[i] -= next;
    }
  }
}

template <class T>
struct Adam {
  T rate, epsilon, decay, keep, beta1, one_minus_beta1, beta2, one_minus_beta2;
};

template <class T>
KT_INLINE void adam(T* p, const T* g, T* first, T* second, int64_t n, const Adam<T>& c) {
  for (int64_t i = 0; i < n; i++) {
    const T d = g[i] + c.decay * p[i];
    const T a = c.beta1 * first[i] + c.one_minus_beta1 * d;
    const T s = c.beta2 * second[i] + c.one_minus_beta2 * d * d;
    first[i] = a;
    second[i] = s;
    p[i] = c.keep * p[i] - c.rate * (a / (std::sqrt(s) + c.epsilon));
  }
}

KT_CLONES void sgd_chunk(float* p, const float* g, float* v, int64_t n, float rate, float decay, float momentum,
                         bool nesterov) {
  sgd(p, g, v, n, rate, decay, momentum, nesterov);
}

KT_CLONES void sgd_chunk(double* p, const double* g, double* v, int64_t n, double rate, double decay, double momentum,
                         bool nesterov) {
  sgd(p, g, v, n, rate, decay, momentum, nesterov);
}

KT_CLONES void rmsprop_chunk(float* p, const float* g, float* square, float* mean, float* m, int64_t n,
                             const RmsProp<float>& c) {
  rmsprop(p, g, square, mean, m, n, c);
}

KT_CLONES void rmsprop_chunk(double* p, const double* g, double* square, double* mean, double* m, int64_t n,
                             const RmsProp<double>& c) {
  rmsprop(p, g, square, mean, m, n, c);
}

KT_CLONES void adam_chunk(float* p, const float* g, float* first, float* second, int64_t n, const Adam<float>& c) {
  adam(p, g, first, second, n, c);
}

KT_CLONES void adam_chunk(double* p, const double* g, double* first, double* second, int64_t n,
                          const Adam<double>& c) {
  adam(p, g, first, second, n, c);
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
    TORCH_CHECK(list[i].device() == list[0].device() && list[i].is_non_overlapping_and_dense(), role, " ", i,
                " isn't dense on ", list[0].device());
  }
  return list;
}

// Parameters, their gradients and the optimiser's state, all walked in the parameters' memory order.
class Operands {
 public:
  Operands(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients)
      : count_(count), parameters_(list_of(count, parameters, "parameter")) {
    gradients_ = in_order(gradients, "gradient");
  }

  // Gives the number that state() asks for.
  size_t add_state(const kt_tensor* handles, const char* role) {
    states_.push_back({handles, in_order(handles, role)});
    return states_.size() - 1;
  }

  // For the rules with libtorch's operators, which work in place on the originals.
  bool elsewhere() const { return kinora::elsewhere(parameters_); }
  const Tensors& parameters() const { return parameters_; }
  const Tensors& gradients() const { return gradients_; }
  Tensors originals(size_t which) const { return list_of(count_, states_[which].handles, "state"); }

  template <class T>
  T* state(size_t which, const Row& row) const {
    return data<T>(states_[which].tensors[row.index], row);
  }

  // Calls step(parameter, gradient, row) for all chunks, on all threads; the pointers tell the element type.
  template <class Step>
  void walk(const Step& step) const {
    const std::vector<Row> rows = rows_of(count_, parameters_);
    at::parallel_for(0, static_cast<int64_t>(rows.size()), 1, [&](int64_t first, int64_t stop) {
      for (int64_t r = first; r < stop; r++) {
        const Row& row = rows[r];
        const at::Tensor &p = parameters_[row.index], &g = gradients_[row.index];
        if (p.scalar_type() == at::kFloat) {
          step(data<float>(p, row), static_cast<const float*>(data<float>(g, row)), row);
        } else {
          step(data<double>(p, row), static_cast<const double*>(data<double>(g, row)), row);
        }
      }
    });
    for (const State& state : states_) {
      for (int32_t i = 0; i < count_; i++) {
        const at::Tensor original = peek(state.handles[i]);
        if (!original.is_same(state.tensors[i])) {
          original.copy_(state.tensors[i]);
        }
      }
    }
    // Saved graphs must notice that their parameters changed.
    for (const at::Tensor& parameter : parameters_) {
      parameter.unsafeGetTensorImpl()->bump_version();
    }
  }

 private:
  struct State {
    const kt_tensor* handles;
    std::vector<at::Tensor> tensors;
  };

  template <class T>
  static T* data(const at::Tensor& tensor, const Row& row) {
    return static_cast<T*>(tensor.data_ptr()) + row.start;
  }

  // Those in another memory order than their parameter are copied over.
  std::vector<at::Tensor> in_order(const kt_tensor* handles, const char* role) const {
    std::vector<at::Tensor> tensors = list_of(count_, handles, role);
    for (int32_t i = 0; i < count_; i++) {
      const at::Tensor& p = parameters_[i];
      at::Tensor& other = tensors[i];
      TORCH_CHECK(p.scalar_type() == other.scalar_type() && p.sizes() == other.sizes(), "parameter ", i, " ",
                  p.scalar_type(), " ", p.sizes(), " has a ", role, " ", other.scalar_type(), " ", other.sizes());
      if (!same_order(p, other)) {
        other = at::empty_strided(p.sizes(), p.strides(), p.options()).copy_(other);
      }
    }
    return tensors;
  }

  int32_t count_;
  std::vector<at::Tensor> parameters_, gradients_;
  std::vector<State> states_;
};

}  // namespace

kt_status kt_sgd(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients, const kt_tensor* velocities,
                 const double* rates, const double* decays, double momentum, int32_t nesterov) noexcept {
  return guarded([&] {
    Operands operands(count, parameters, gradients);
    const size_t velocity = operands.add_state(velocities, "velocity");
    if (operands.elsewhere()) {
      return general_sgd(operands.parameters(), operands.gradients(), operands.originals(velocity), rates, decays,
                         momentum, nesterov != 0);
    }
    operands.walk([&](auto* p, const auto* g, const Row& row) {
      using T = std::remove_pointer_t<decltype(p)>;
      sgd_chunk(p, g, operands.state<T>(velocity, row), row.count, static_cast<T>(rates[row.index]),
                static_cast<T>(decays[row.index]), static_cast<T>(momentum), nesterov != 0);
    });
  });
}

kt_status kt_rmsprop(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients, const kt_tensor* squares,
                     const kt_tensor* means, const kt_tensor* momenta, const double* rates, const double* decays,
                     double rho, double epsilon, double momentum) noexcept {
  return guarded([&] {
    Operands operands(count, parameters, gradients);
    const size_t square = operands.add_state(squares, "mean square");
    const size_t moment = operands.add_state(momenta, "momentum");
    const size_t mean = means == nullptr ? 0 : operands.add_state(means, "mean gradient");
    if (operands.elsewhere()) {
      return general_rmsprop(operands.parameters(), operands.gradients(), operands.originals(square),
                             means == nullptr ? Tensors() : operands.originals(mean), operands.originals(moment), rates,
                             decays, rho, epsilon, momentum);
    }
    operands.walk([&](auto* p, const auto* g, const Row& row) {
      using T = std::remove_pointer_t<decltype(p)>;
      const RmsProp<T> constants{static_cast<T>(rates[row.index]), static_cast<T>(decays[row.index]),
                                 static_cast<T>(rho), static_cast<T>(1 - rho), static_cast<T>(epsilon),
                                 static_cast<T>(momentum)};
      rmsprop_chunk(p, g, operands.state<T>(square, row), means == nullptr ? nullptr : operands.state<T>(mean, row),
                    operands.state<T>(moment, row), row.count, constants);
    });
  });
}

kt_status kt_adam(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients, const kt_tensor* firsts,
                  const kt_tensor* seconds, const double* rates, const double* epsilons, const double* decays,
                  const double* keeps, double beta1, double beta2) noexcept {
  return guarded([&] {
    Operands operands(count, parameters, gradients);
    const size_t first = operands.add_state(firsts, "first moment");
    const size_t second = operands.add_state(seconds, "second moment");
    if (operands.elsewhere()) {
      return general_adam(operands.parameters(), operands.gradients(), operands.originals(first),
                          operands.originals(second), rates, epsilons, decays, keeps, beta1, beta2);
    }
    operands.walk([&](auto* p, const auto* g, const Row& row) {
      using T = std::remove_pointer_t<decltype(p)>;
      const Adam<T> constants{static_cast<T>(rates[row.index]), static_cast<T>(epsilons[row.index]),
                              static_cast<T>(decays[row.index]), static_cast<T>(keeps[row.index]),
                              static_cast<T>(beta1), static_cast<T>(1 - beta1), static_cast<T>(beta2),
                              static_cast<T>(1 - beta2)};
      adam_chunk(p, g, operands.state<T>(first, row), operands.state<T>(second, row), row.count, constants);
    });
  });
}

kt_status kt_squared_norm(int32_t count, const kt_tensor* tensors, double* sum) noexcept {
  return guarded([&] {
    const auto list = list_of(count, tensors, "tensor");
    if (elsewhere(list)) {
      *sum = general_squared_norm(list);
      return;
    }
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
