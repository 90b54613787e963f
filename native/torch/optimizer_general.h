// The optimisers' rules with libtorch's operators: for tensors that aren't in CPU memory.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace kinora {

using Tensors = std::vector<at::Tensor>;

// Whether the kernels can't walk the tensors' memory.
bool elsewhere(const Tensors& tensors);

void general_sgd(const Tensors& p, const Tensors& g, const Tensors& v, const double* rates, const double* decays,
                 double momentum, bool nesterov);
// means may be empty.
void general_rmsprop(const Tensors& p, const Tensors& g, const Tensors& square, const Tensors& mean, const Tensors& m,
                     const double* rates, const double* decays, double rho, double epsilon, double momentum);
void general_adam(const Tensors& p, const Tensors& g, const Tensors& first, const Tensors& second, const double* rates,
                  const double* epsilons, const double* decays, const double* keeps, double beta1, double beta2);
double general_squared_norm(const Tensors& tensors);

}  // namespace kinora
