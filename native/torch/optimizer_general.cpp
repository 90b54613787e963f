#include "optimizer_general.h"

#include <ATen/ATen.h>

#include "shim.h"

using at::Tensor;

namespace kinora {
namespace {

thread_local bool everywhere = false;

// The gradient with its decay.
Tensor direction(const Tensor& p, const Tensor& g, double decay) { return decay == 0 ? g : g.add(p, decay); }

}  // namespace

bool elsewhere(const Tensors& tensors) { return !tensors.empty() && (everywhere || !tensors[0].is_cpu()); }

void general_sgd(const Tensors& p, const Tensors& g, const Tensors& v, const double* rates, const double* decays,
                 double momentum, bool nesterov) {
  for (size_t i = 0; i < p.size(); i++) {
    const Tensor d = direction(p[i], g[i], decays[i]);
    v[i].mul_(momentum).add_(d);
    p[i].sub_(nesterov ? d.add(v[i], momentum) : v[i], rates[i]);
  }
}

void general_rmsprop(const Tensors& p, const Tensors& g, const Tensors& square, const Tensors& mean, const Tensors& m,
                     const double* rates, const double* decays, double rho, double epsilon, double momentum) {
  for (size_t i = 0; i < p.size(); i++) {
    const Tensor d = direction(p[i], g[i], decays[i]);
    square[i].mul_(rho).addcmul_(d, d, 1 - rho);
    Tensor under = square[i];
    if (!mean.empty()) {
      mean[i].mul_(rho).add_(d, 1 - rho);
      under = under.sub(mean[i].square());
    }
    m[i].mul_(momentum).addcdiv_(d, under.add(epsilon).sqrt_(), rates[i]);
    p[i].sub_(m[i]);
  }
}

void general_adam(const Tensors& p, const Tensors& g, const Tensors& first, const Tensors& second, const double* rates,
                  const double* epsilons, const double* decays, const double* keeps, double beta1, double beta2) {
  for (size_t i = 0; i < p.size(); i++) {
    const Tensor d = direction(p[i], g[i], decays[i]);
    first[i].mul_(beta1).add_(d, 1 - beta1);
    second[i].mul_(beta2).addcmul_(d, d, 1 - beta2);
    p[i].mul_(keeps[i]).addcdiv_(first[i], second[i].sqrt().add_(epsilons[i]), -rates[i]);
  }
}

double general_squared_norm(const Tensors& tensors) {
  Tensor sum;
  for (const Tensor& tensor : tensors) {
    const Tensor part = tensor.to(at::kDouble).square().sum();
    sum = sum.defined() ? sum.add(part) : part;
  }
  return sum.defined() ? sum.item<double>() : 0;
}

}  // namespace kinora

kt_status kt_general_optimizers(int32_t on) noexcept {
  kinora::everywhere = on != 0;
  return KT_OK;
}
