// What the translation units of libkinora_torch share.
#pragma once
#include <c10/core/Device.h>
#include <c10/core/TensorImpl.h>
#include <c10/core/UndefinedTensorImpl.h>
#include <c10/util/Exception.h>
#include <ATen/core/Tensor.h>

#include <atomic>
#include <new>
#include <stdexcept>
#include <string>

#include "kinora_torch.h"

namespace kinora {

// Text of the calling thread's last failure.
std::string& last_error() noexcept;

// Number of references handed out and not yet taken back.
extern std::atomic<int64_t> live_tensors;

// Whether the calling thread's operators work out shapes and no values.
bool shapes_only() noexcept;

inline kt_status fail(kt_status status, const char* text) noexcept {
  try {
    last_error() = text;
  } catch (...) {
    last_error().clear();
  }
  return status;
}

// A process of the group failed, or didn't answer in time.
struct PeerError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where the calling thread's operators put tensors that they make from nothing.
c10::Device creation_device() noexcept;

// Runs a function and turns every exception into a status.
template <class Function>
kt_status guarded(Function&& function) noexcept {
  try {
    function();
    return KT_OK;
  } catch (const PeerError& e) {
    return fail(KT_PEER, e.what());
  } catch (const c10::Error& e) {
    const char* text = e.what_without_backtrace();
    // The CPU allocator reports exhaustion as an ordinary error.
    const bool memory = std::string(text).find("not enough memory") != std::string::npos ||
                        std::string(text).find("DefaultCPUAllocator") != std::string::npos;
    return fail(memory ? KT_OUT_OF_MEMORY : KT_REJECTED, text);
  } catch (const std::bad_alloc&) {
    return fail(KT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return fail(KT_FAILED, e.what());
  } catch (...) {
    return fail(KT_FAILED, "an exception of unknown type");
  }
}

inline kt_tensor give(at::Tensor tensor) {
  if (!tensor.defined()) {
    return nullptr;
  }
  live_tensors.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<kt_tensor>(tensor.unsafeReleaseTensorImpl());
}

inline at::Tensor peek(kt_tensor handle) {
  if (handle == nullptr) {
    return at::Tensor();
  }
  return at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(
      reinterpret_cast<c10::TensorImpl*>(handle)));
}

inline void drop(kt_tensor handle) noexcept {
  if (handle != nullptr) {
    live_tensors.fetch_sub(1, std::memory_order_relaxed);
    c10::raw::intrusive_ptr::decref(reinterpret_cast<c10::TensorImpl*>(handle));
  }
}

}  // namespace kinora
