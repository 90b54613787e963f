// Autograd, the modes of the calling thread, and the number of compute threads.
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include "shim.h"

#define KT_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

using namespace kinora;

kt_status kt_tensor_set_requires_grad(kt_tensor tensor, int32_t on) noexcept {
  return guarded([&] { peek(tensor).set_requires_grad(on != 0); });
}

kt_status kt_tensor_grad(kt_tensor tensor, kt_tensor* gradient) noexcept {
  return guarded([&] { *gradient = give(peek(tensor).grad()); });
}

kt_status kt_tensor_set_grad(kt_tensor tensor, kt_tensor gradient) noexcept {
  return guarded([&] { peek(tensor).mutable_grad() = peek(gradient); });
}

// On the CPU the engine works on the calling thread.
kt_status kt_backward(kt_tensor root, kt_tensor gradient, int32_t retain_graph) noexcept {
  return guarded([&] {
    torch::autograd::variable_list gradients;
    if (gradient != nullptr) {
      gradients.push_back(peek(gradient));
    }
    torch::autograd::backward({peek(root)}, gradients, retain_graph != 0, false);
  });
}

kt_status kt_grad_mode(int32_t on, int32_t* previous) noexcept {
  *previous = at::GradMode::is_enabled() ? 1 : 0;
  at::GradMode::set_enabled(on != 0);
  return KT_OK;
}

kt_status kt_inference_enter(void** guard) noexcept {
  return guarded([&] { *guard = new c10::InferenceMode(true); });
}

kt_status kt_inference_leave(void* guard) noexcept {
  delete static_cast<c10::InferenceMode*>(guard);
  return KT_OK;
}

kt_status kt_autocast(int32_t device, int32_t on, int32_t dtype, int32_t* previous_on,
                      int32_t* previous_dtype) noexcept {
  return guarded([&] {
    const auto type = static_cast<at::ScalarType>(dtype);
    const auto kind = static_cast<c10::DeviceType>(device);
    TORCH_CHECK(kind == at::kCPU || kind == at::kCUDA, "mixed precision on ", kind);
#if KT_TORCH >= 204
    *previous_on = at::autocast::is_autocast_enabled(kind) ? 1 : 0;
    *previous_dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(kind));
    at::autocast::set_autocast_dtype(kind, type);
    at::autocast::set_autocast_enabled(kind, on != 0);
#else
    if (kind == at::kCPU) {
      *previous_on = at::autocast::is_cpu_enabled() ? 1 : 0;
      *previous_dtype = static_cast<int32_t>(at::autocast::get_autocast_cpu_dtype());
      at::autocast::set_autocast_cpu_dtype(type);
      at::autocast::set_cpu_enabled(on != 0);
    } else {
      *previous_on = at::autocast::is_enabled() ? 1 : 0;
      *previous_dtype = static_cast<int32_t>(at::autocast::get_autocast_gpu_dtype());
      at::autocast::set_autocast_gpu_dtype(type);
      at::autocast::set_enabled(on != 0);
    }
#endif
    // The cache holds parameters cast once per region; a later region must see the parameters of its own time.
    if (on == 0) {
      at::autocast::clear_cache();
    }
  });
}

kt_status kt_set_threads(int32_t count) noexcept {
  return guarded([&] {
    at::set_num_threads(count);
    // OpenBLAS has a pool of its own, which libtorch doesn't tell.
    using SetThreads = void (*)(int);
    if (auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
      set(count);
    }
  });
}

kt_status kt_threads(int32_t* count) noexcept {
  return guarded([&] { *count = at::get_num_threads(); });
}
