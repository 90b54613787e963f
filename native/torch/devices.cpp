// Devices beside the CPU. Nothing here needs CUDA's headers: libtorch_cuda registers itself when it is loaded.
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "shim.h"

namespace kinora {
namespace {

thread_local c10::Device device_of_thread(c10::DeviceType::CPU);

}  // namespace

c10::Device creation_device() noexcept { return device_of_thread; }

}  // namespace kinora

using namespace kinora;

kt_status kt_device_count(int32_t type, int32_t* count) noexcept {
  *count = 0;
  return guarded([&] {
    const auto device = static_cast<c10::DeviceType>(type);
    if (device == c10::DeviceType::CPU) {
      *count = 1;
    } else if (c10::impl::hasDeviceGuardImpl(device)) {
      *count = c10::impl::getDeviceGuardImpl(device)->deviceCount();
    }
  });
}

kt_status kt_use_device(int32_t type, int32_t index, int32_t* previous_type, int32_t* previous_index) noexcept {
  *previous_type = static_cast<int32_t>(device_of_thread.type());
  *previous_index = device_of_thread.index();
  return guarded([&] {
    int32_t count = 0;
    const auto kind = static_cast<c10::DeviceType>(type);
    if (kind != c10::DeviceType::CPU) {
      kt_device_count(type, &count);
      TORCH_CHECK(index >= 0 && index < count, "expected one of ", count, " ", kind, " devices, found ", index);
      c10::impl::getDeviceGuardImpl(kind)->setDevice(c10::Device(kind, static_cast<c10::DeviceIndex>(index)));
    }
    device_of_thread = kind == c10::DeviceType::CPU ? c10::Device(kind)
                                                    : c10::Device(kind, static_cast<c10::DeviceIndex>(index));
  });
}
