// Operators by name through the c10 dispatcher's boxed call. Autograd, autocast and the grad modes apply as they do
// for Python, because both enter at the same place.
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/version.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "shim.h"

#define KT_TORCH (TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR)

namespace kinora {
namespace {

#if KT_TORCH >= 204
template <class T>
using Optional = std::optional<T>;
#else
template <class T>
using Optional = c10::optional<T>;
#endif

using at::Tensor;
using c10::IValue;
using c10::TypeKind;

struct Argument {
  std::string name;
  int32_t kind = KT_OTHER;
  bool optional = false;
  bool optional_elements = false;  // a list whose tensors may be missing
  bool scalar_tensor = false;      // a number given for it becomes a wrapped number
  int32_t fixed_length = 0;
  Optional<IValue> default_value;
  kt_value packed_default{};
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<uint8_t> booleans;
  std::string text;
};

struct Operator {
  c10::OperatorHandle handle;
  std::string schema;
  std::vector<Argument> arguments;
  size_t returns;
  bool creates = false;  // takes a device and no tensor, as zeros does
};

int32_t kind_of(const c10::TypePtr& type) {
  switch (type->kind()) {
    case TypeKind::TensorType: return KT_TENSOR;
    case TypeKind::IntType:
    case TypeKind::SymIntType:
    case TypeKind::ScalarTypeType:
    case TypeKind::LayoutType:
    case TypeKind::MemoryFormatType: return KT_INT;
    case TypeKind::FloatType: return KT_DOUBLE;
    case TypeKind::BoolType: return KT_BOOL;
    case TypeKind::NumberType: return KT_SCALAR;
    case TypeKind::StringType: return KT_STRING;
    case TypeKind::DeviceObjType: return KT_DEVICE;
    case TypeKind::OptionalType: return kind_of(type->castRaw<c10::OptionalType>()->getElementType());
    case TypeKind::ListType:
      switch (kind_of(type->castRaw<c10::ListType>()->getElementType())) {
        case KT_TENSOR: return KT_TENSORS;
        case KT_INT: return KT_INTS;
        case KT_DOUBLE: return KT_DOUBLES;
        case KT_BOOL: return KT_BOOLS;
        default: return KT_OTHER;
      }
    default: return KT_OTHER;
  }
}

void pack_default(Argument& argument) {
  const IValue& value = *argument.default_value;
  kt_value& out = argument.packed_default;
  const auto list = [&](int32_t kind, const void* data, size_t count) {
    out.kind = kind;
    out.count = static_cast<int32_t>(count);
    out.pointer = data;
  };
  if (value.isNone()) {
    out.kind = KT_NONE;
  } else if (value.isInt()) {
    out.kind = KT_INT;
    out.integer = value.toInt();
  } else if (value.isDouble()) {
    out.kind = KT_DOUBLE;
    out.real = value.toDouble();
  } else if (value.isBool()) {
    out.kind = KT_BOOL;
    out.integer = value.toBool() ? 1 : 0;
  } else if (value.isString()) {
    argument.text = value.toStringRef();
    list(KT_STRING, argument.text.data(), argument.text.size());
  } else if (value.isIntList()) {
    argument.integers = value.toIntVector();
    list(KT_INTS, argument.integers.data(), argument.integers.size());
  } else if (value.isDoubleList()) {
    argument.reals = value.toDoubleVector();
    list(KT_DOUBLES, argument.reals.data(), argument.reals.size());
  } else if (value.isBoolList()) {
    for (bool b : value.toBoolList()) {
      argument.booleans.push_back(b ? 1 : 0);
    }
    list(KT_BOOLS, argument.booleans.data(), argument.booleans.size());
  } else {
    out.kind = KT_OTHER;
  }
}

std::unique_ptr<Operator> describe(const c10::OperatorHandle& handle) {
  const c10::FunctionSchema& schema = handle.schema();
  std::unique_ptr<Operator> op(new Operator{handle, c10::toString(schema), {}, schema.returns().size()});
  op->arguments.resize(schema.arguments().size());
  for (size_t i = 0; i < op->arguments.size(); i++) {
    const c10::Argument& from = schema.arguments()[i];
    Argument& to = op->arguments[i];
    to.name = from.name();
    c10::TypePtr type = from.type();
    to.optional = type->kind() == TypeKind::OptionalType;
    if (to.optional) {
      type = type->castRaw<c10::OptionalType>()->getElementType();
    }
    to.kind = kind_of(type);
    to.optional_elements = to.kind == KT_TENSORS &&
        type->castRaw<c10::ListType>()->getElementType()->kind() == TypeKind::OptionalType;
    to.fixed_length = from.N() ? static_cast<int32_t>(*from.N()) : 0;
    if (from.default_value()) {
      to.default_value = *from.default_value();
      pack_default(to);
    }
  }
  const auto has = [&](int32_t kind) {
    return std::any_of(op->arguments.begin(), op->arguments.end(), [kind](const Argument& a) { return a.kind == kind; });
  };
  op->creates = has(KT_DEVICE) && !has(KT_TENSOR) && !has(KT_TENSORS);
  return op;
}

// A number where a tensor is wanted behaves as in Python: it takes part in type promotion as a mere number.
Tensor wrapped_number(const at::Scalar& number, at::ScalarType type) {
  Tensor tensor = at::scalar_tensor(number, at::TensorOptions().dtype(type));
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

const IValue& default_of(const Operator& op, const Argument& argument) {
  TORCH_CHECK(argument.default_value.has_value(), "missing argument '", argument.name, "' of ", op.schema);
  return *argument.default_value;
}

IValue unpack(const Operator& op, const Argument& argument, const kt_value& value) {
  const size_t count = static_cast<size_t>(value.count);
  switch (value.kind) {
    case KT_NONE:
      return argument.kind == KT_TENSOR && !argument.optional ? IValue(Tensor()) : IValue();
    case KT_TENSOR:
      return IValue(peek(reinterpret_cast<kt_tensor>(const_cast<void*>(value.pointer))));
    case KT_INT:
      switch (argument.kind) {
        case KT_DOUBLE: return IValue(static_cast<double>(value.integer));
        case KT_BOOL: return IValue(value.integer != 0);
        case KT_TENSOR: return IValue(wrapped_number(value.integer, at::kLong));
        case KT_INTS:
          return IValue(std::vector<int64_t>(argument.fixed_length > 0 ? argument.fixed_length : 1, value.integer));
        default: return IValue(value.integer);
      }
    case KT_DOUBLE:
      return argument.kind == KT_TENSOR ? IValue(wrapped_number(value.real, at::kDouble)) : IValue(value.real);
    case KT_BOOL:
      return IValue(value.integer != 0);
    case KT_STRING:
      return IValue(std::string(static_cast<const char*>(value.pointer), count));
    case KT_INTS: {
      const auto* data = static_cast<const int64_t*>(value.pointer);
      return IValue(std::vector<int64_t>(data, data + count));
    }
    case KT_DOUBLES: {
      const auto* data = static_cast<const double*>(value.pointer);
      return IValue(std::vector<double>(data, data + count));
    }
    case KT_BOOLS: {
      const auto* data = static_cast<const uint8_t*>(value.pointer);
      c10::List<bool> list;
      for (size_t i = 0; i < count; i++) {
        list.push_back(data[i] != 0);
      }
      return IValue(list);
    }
    case KT_TENSORS: {
      const auto* data = static_cast<const kt_tensor*>(value.pointer);
      if (argument.optional_elements) {
        c10::List<Optional<Tensor>> list;
        list.reserve(count);
        for (size_t i = 0; i < count; i++) {
          list.push_back(data[i] != nullptr ? Optional<Tensor>(peek(data[i])) : Optional<Tensor>());
        }
        return IValue(list);
      }
      c10::List<Tensor> list;
      list.reserve(count);
      for (size_t i = 0; i < count; i++) {
        list.push_back(peek(data[i]));
      }
      return IValue(list);
    }
    case KT_DEVICE:
      return IValue(c10::Device(static_cast<c10::DeviceType>(value.integer >> 32),
                                static_cast<c10::DeviceIndex>(static_cast<int32_t>(value.integer))));
    case KT_DEFAULT:
      return default_of(op, argument);
    default:
      TORCH_CHECK(false, "argument '", argument.name, "' has the unknown kind ", value.kind);
  }
}

// Applies a function to every tensor of a stack, those in lists included.
template <class Function>
void replace_tensors(std::vector<IValue>& stack, Function&& function) {
  for (IValue& value : stack) {
    if (value.isTensor()) {
      if (value.toTensor().defined()) {
        value = IValue(function(value.toTensor()));
      }
    } else if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& tensor : value.toTensorVector()) {
        list.push_back(tensor.defined() ? function(tensor) : tensor);
      }
      value = IValue(list);
    } else if (value.isOptionalTensorList()) {
      c10::List<Optional<Tensor>> list;
      for (const Optional<Tensor>& tensor : value.toOptionalTensorVector()) {
        list.push_back(tensor.has_value() && tensor->defined() ? Optional<Tensor>(function(*tensor)) : tensor);
      }
      value = IValue(list);
    }
  }
}

void set_device(const Operator& op, std::vector<IValue>& stack, c10::Device device) {
  for (size_t i = 0; i < op.arguments.size(); i++) {
    if (op.arguments[i].kind == KT_DEVICE) {
      stack[i] = IValue(device);
    }
  }
}

// Where the caller hasn't said where the tensor goes, it goes to the thread's device.
void set_creation_device(const Operator& op, std::vector<IValue>& stack) {
  for (size_t i = 0; i < op.arguments.size(); i++) {
    if (op.arguments[i].kind == KT_DEVICE && stack[i].isNone()) {
      stack[i] = IValue(creation_device());
    }
  }
}

// Calls an operator for the shapes of its results. Where libtorch can't tell them without values, it computes with zeros.
void call_for_shapes(Operator& op, std::vector<IValue>& stack) {
  const auto without_values = [](const Tensor& tensor) {
    return tensor.is_meta() ? tensor : at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(at::kMeta));
  };
  const auto with_zeros = [](const Tensor& tensor) {
    return tensor.is_meta() ? at::zeros(tensor.sizes(), tensor.options().device(at::kCPU)) : tensor;
  };
  replace_tensors(stack, without_values);
  set_device(op, stack, at::kMeta);
  std::vector<IValue> arguments = stack;
  try {
    op.handle.callBoxed(&stack);
  } catch (const c10::NotImplementedError&) {
    stack = std::move(arguments);
    replace_tensors(stack, with_zeros);
    set_device(op, stack, at::kCPU);
    op.handle.callBoxed(&stack);
    replace_tensors(stack, without_values);
  }
}

// Collects results; gives back what it took if a later one fails.
class Results {
 public:
  Results(kt_value* values, int32_t capacity) : values_(values), capacity_(capacity) {}
  ~Results() {
    for (int32_t i = 0; !kept_ && i < count_; i++) {
      if (values_[i].kind == KT_TENSOR) {
        drop(reinterpret_cast<kt_tensor>(const_cast<void*>(values_[i].pointer)));
      }
    }
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  void add(IValue&& value) {
    if (value.isTensor()) {
      add_tensor(std::move(value).toTensor());
    } else if (value.isInt()) {
      next(KT_INT, 0).integer = value.toInt();
    } else if (value.isDouble()) {
      next(KT_DOUBLE, 0).real = value.toDouble();
    } else if (value.isBool()) {
      next(KT_BOOL, 0).integer = value.toBool() ? 1 : 0;
    } else if (value.isNone()) {
      next(KT_NONE, 0);
    } else if (value.isTensorList()) {
      const std::vector<Tensor> list = value.toTensorVector();
      next(KT_TENSORS, static_cast<int32_t>(list.size()));
      for (const Tensor& tensor : list) {
        add_tensor(tensor);
      }
    } else {
      TORCH_CHECK(false, "results of type ", value.tagKind(), " aren't supported");
    }
  }

  int32_t keep() {
    kept_ = true;
    return count_;
  }

 private:
  kt_value& next(int32_t kind, int32_t count) {
    TORCH_CHECK(count_ < capacity_, "more than ", capacity_, " results");
    kt_value& value = values_[count_++];
    value.kind = kind;
    value.count = count;
    value.integer = 0;
    return value;
  }

  void add_tensor(Tensor tensor) {
    kt_value& value = next(KT_TENSOR, 1);
    value.pointer = give(std::move(tensor));
  }

  kt_value* values_;
  int32_t capacity_;
  int32_t count_ = 0;
  bool kept_ = false;
};

Operator& operator_of(kt_operator op) { return *reinterpret_cast<Operator*>(op); }

}  // namespace

std::atomic<int64_t> live_tensors{0};

std::string& last_error() noexcept {
  static thread_local std::string text;
  return text;
}

}  // namespace kinora

using namespace kinora;

kt_status kt_abi(kt_abi_info* info) noexcept {
  info->abi = KT_ABI;
  info->torch_version = KT_TORCH;
  info->value_size = sizeof(kt_value);
  info->argument_size = sizeof(kt_argument);
  info->tensor_info_size = sizeof(kt_tensor_info);
  info->max_rank = KT_MAX_RANK;
  return KT_OK;
}

kt_status kt_error(const char** text, int64_t* length) noexcept {
  *text = last_error().data();
  *length = static_cast<int64_t>(last_error().size());
  return KT_OK;
}

kt_status kt_version(const char** text) noexcept {
  *text = TORCH_VERSION;
  return KT_OK;
}

kt_status kt_operator_find(const char* name, const char* overload, kt_operator* found) noexcept {
  return guarded([&] {
    static std::mutex mutex;
    static auto* known = new std::unordered_map<std::string, std::unique_ptr<Operator>>;
    const std::string key = std::string(name) + '.' + overload;
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<Operator>& op = (*known)[key];
    if (!op) {
      op = describe(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
    }
    *found = reinterpret_cast<kt_operator>(op.get());
  });
}

kt_status kt_operator_schema(kt_operator op, const char** text) noexcept {
  *text = operator_of(op).schema.c_str();
  return KT_OK;
}

kt_status kt_operator_argument_count(kt_operator op, int32_t* count) noexcept {
  *count = static_cast<int32_t>(operator_of(op).arguments.size());
  return KT_OK;
}

kt_status kt_operator_argument(kt_operator op, int32_t index, kt_argument* argument) noexcept {
  return guarded([&] {
    const Argument& from = operator_of(op).arguments.at(static_cast<size_t>(index));
    argument->name = from.name.c_str();
    argument->kind = from.kind;
    argument->optional = from.optional ? 1 : 0;
    argument->fixed_length = from.fixed_length;
    argument->has_default = from.default_value.has_value() ? 1 : 0;
    argument->default_value = from.packed_default;
  });
}

kt_status kt_call(kt_operator handle, const kt_value* arguments, int32_t argument_count, kt_value* results,
                  int32_t capacity, int32_t* result_count) noexcept {
  *result_count = 0;
  return guarded([&] {
    Operator& op = operator_of(handle);
    const size_t given = static_cast<size_t>(argument_count);
    TORCH_CHECK(given <= op.arguments.size(), given, " arguments for ", op.schema);
    std::vector<IValue> stack;
    stack.reserve(std::max(op.arguments.size(), op.returns));
    for (size_t i = 0; i < op.arguments.size(); i++) {
      const Argument& argument = op.arguments[i];
      stack.push_back(i < given ? unpack(op, argument, arguments[i]) : default_of(op, argument));
    }
    if (shapes_only()) {
      call_for_shapes(op, stack);
    } else {
      if (op.creates && !creation_device().is_cpu()) {
        set_creation_device(op, stack);
      }
      op.handle.callBoxed(&stack);
    }
    Results out(results, capacity);
    for (IValue& value : stack) {
      out.add(std::move(value));
    }
    *result_count = out.keep();
  });
}

kt_status kt_tensor_release(kt_tensor tensor) noexcept {
  drop(tensor);
  return KT_OK;
}

kt_status kt_tensor_retain(kt_tensor tensor, kt_tensor* same) noexcept {
  return guarded([&] { *same = give(peek(tensor)); });
}

kt_status kt_tensor_describe(kt_tensor handle, kt_tensor_info* info) noexcept {
  return guarded([&] {
    const at::Tensor tensor = peek(handle);
    TORCH_CHECK(tensor.dim() <= KT_MAX_RANK, "rank ", tensor.dim(), " exceeds ", KT_MAX_RANK);
    *info = kt_tensor_info{};
    info->dtype = static_cast<int32_t>(tensor.scalar_type());
    info->rank = static_cast<int32_t>(tensor.dim());
    info->device_type = static_cast<int32_t>(tensor.device().type());
    info->device_index = tensor.device().index();
    info->requires_grad = tensor.requires_grad() ? 1 : 0;
    info->is_leaf = tensor.is_leaf() ? 1 : 0;
    info->is_contiguous = tensor.is_contiguous() ? 1 : 0;
    info->is_channels_last = tensor.dim() == 4 && tensor.is_contiguous(at::MemoryFormat::ChannelsLast) ? 1 : 0;
    info->count = tensor.numel();
    info->element_size = static_cast<int64_t>(tensor.element_size());
    info->data = tensor.has_storage() && !tensor.is_meta() ? tensor.data_ptr() : nullptr;
    for (int64_t i = 0; i < tensor.dim(); i++) {
      info->shape[i] = tensor.size(i);
      info->strides[i] = tensor.stride(i);
    }
  });
}

kt_status kt_live_tensors(int64_t* handles) noexcept {
  *handles = live_tensors.load(std::memory_order_relaxed);
  return KT_OK;
}
