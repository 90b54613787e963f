// C ABI of libkinora_torch: libtorch's operators by name, tensors as counted handles, autograd and modes.
//
// Every function returns a status, writes through out-parameters and lets no C++ exception pass. After a failure
// kt_error gives the text, per thread, until that thread's next failing call.
#pragma once
#include <stdint.h>

#if defined(__cplusplus)
#define KT_NOEXCEPT noexcept
extern "C" {
#else
#define KT_NOEXCEPT
#endif
#define KT_API __attribute__((visibility("default")))

#define KT_ABI 4
#define KT_MAX_RANK 16

typedef int32_t kt_status;
enum {
  KT_OK = 0,
  KT_REJECTED = 1,       // libtorch refused: shapes, element types, unknown operator, wrong argument
  KT_OUT_OF_MEMORY = 2,
  KT_FAILED = 3,         // anything else
  KT_PEER = 4,           // a process of the group failed, or didn't answer in time
};

typedef struct kt_tensor_* kt_tensor;      // owns one reference; null stands for an undefined tensor
typedef struct kt_operator_* kt_operator;  // lives as long as the process
typedef struct kt_store_* kt_store;
typedef struct kt_group_* kt_group;
typedef struct kt_work_* kt_work;
typedef struct kt_reducer_* kt_reducer;

// What a value holds, and what a schema asks for.
enum {
  KT_NONE = 0,
  KT_TENSOR = 1,
  KT_INT = 2,
  KT_DOUBLE = 3,
  KT_BOOL = 4,
  KT_STRING = 5,   // UTF-8, count bytes
  KT_INTS = 6,     // count int64
  KT_DOUBLES = 7,  // count doubles
  KT_BOOLS = 8,    // count bytes
  KT_TENSORS = 9,  // count handles; as a result: count values of kind KT_TENSOR follow
  KT_DEVICE = 10,  // bits: type in the high half, index in the low half
  KT_DEFAULT = 11, // the schema's default
  KT_SCALAR = 12,  // only in kt_argument: a number of either kind
  KT_OTHER = 13,   // only in kt_argument: a kind this ABI doesn't carry
};

typedef struct {
  int32_t kind;
  int32_t count;
  union {
    int64_t integer;
    double real;
    const void* pointer;
  };
} kt_value;

typedef struct {
  const char* name;        // zero-terminated, lives as long as the process
  int32_t kind;            // of the value, or of the value inside an optional
  int32_t optional;
  int32_t fixed_length;    // of a list that one number may stand for, else 0
  int32_t has_default;
  kt_value default_value;  // points into storage that lives as long as the process
} kt_argument;

typedef struct {
  int32_t dtype;           // c10::ScalarType
  int32_t rank;
  int32_t device_type;
  int32_t device_index;
  int32_t requires_grad;
  int32_t is_leaf;
  int32_t is_contiguous;
  int32_t is_channels_last;
  int64_t count;
  int64_t element_size;
  void* data;              // first element, null without storage
  int64_t shape[KT_MAX_RANK];
  int64_t strides[KT_MAX_RANK];  // in elements
} kt_tensor_info;

typedef struct {
  int32_t abi;
  int32_t torch_version;   // major * 100 + minor
  int32_t value_size;
  int32_t argument_size;
  int32_t tensor_info_size;
  int32_t max_rank;
} kt_abi_info;

KT_API kt_status kt_abi(kt_abi_info* info) KT_NOEXCEPT;
KT_API kt_status kt_error(const char** text, int64_t* length) KT_NOEXCEPT;
KT_API kt_status kt_version(const char** text) KT_NOEXCEPT;

// ---- operators ----
KT_API kt_status kt_operator_find(const char* name, const char* overload, kt_operator* found) KT_NOEXCEPT;
KT_API kt_status kt_operator_schema(kt_operator op, const char** text) KT_NOEXCEPT;
KT_API kt_status kt_operator_argument_count(kt_operator op, int32_t* count) KT_NOEXCEPT;
KT_API kt_status kt_operator_argument(kt_operator op, int32_t index, kt_argument* argument) KT_NOEXCEPT;
// Missing trailing arguments take their defaults. Each tensor among the results is a new reference.
KT_API kt_status kt_call(kt_operator op, const kt_value* arguments, int32_t argument_count, kt_value* results,
                         int32_t capacity, int32_t* result_count) KT_NOEXCEPT;

// ---- tensors ----
KT_API kt_status kt_tensor_release(kt_tensor tensor) KT_NOEXCEPT;
KT_API kt_status kt_tensor_retain(kt_tensor tensor, kt_tensor* same) KT_NOEXCEPT;
KT_API kt_status kt_tensor_describe(kt_tensor tensor, kt_tensor_info* info) KT_NOEXCEPT;
KT_API kt_status kt_live_tensors(int64_t* handles) KT_NOEXCEPT;

// ---- autograd ----
KT_API kt_status kt_tensor_set_requires_grad(kt_tensor tensor, int32_t on) KT_NOEXCEPT;
KT_API kt_status kt_tensor_grad(kt_tensor tensor, kt_tensor* gradient) KT_NOEXCEPT;
KT_API kt_status kt_tensor_set_grad(kt_tensor tensor, kt_tensor gradient) KT_NOEXCEPT;
KT_API kt_status kt_backward(kt_tensor root, kt_tensor gradient, int32_t retain_graph) KT_NOEXCEPT;

// Works out the gradient of an input from that of an output. gradient is borrowed; *result is a new reference, or null
// for no gradient. Any status but KT_OK ends the backward pass.
typedef kt_status (*kt_gradient_function)(void* context, kt_tensor gradient, kt_tensor* result);
typedef void (*kt_release_function)(void* context);
// A tensor with the values of output whose gradient function takes back to input, during the backward pass, on its
// thread. The context is released when the graph goes, or before this returns if it fails.
KT_API kt_status kt_defer_gradient(kt_tensor input, kt_tensor output, kt_gradient_function function,
                                   kt_release_function release, void* context, kt_tensor* result) KT_NOEXCEPT;

// ---- modes of the calling thread ----
KT_API kt_status kt_grad_mode(int32_t on, int32_t* previous) KT_NOEXCEPT;
KT_API kt_status kt_inference_enter(void** guard) KT_NOEXCEPT;
KT_API kt_status kt_inference_leave(void* guard) KT_NOEXCEPT;
// Devices have c10::DeviceType's numbers: 0 CPU, 1 CUDA.
KT_API kt_status kt_autocast(int32_t device, int32_t on, int32_t dtype, int32_t* previous_on,
                             int32_t* previous_dtype) KT_NOEXCEPT;
// On: operators give tensors on the meta device, which have shapes and no values, whatever their operands are.
KT_API kt_status kt_shapes_only(int32_t on, int32_t* previous) KT_NOEXCEPT;

// ---- devices ----
KT_API kt_status kt_device_count(int32_t type, int32_t* count) KT_NOEXCEPT;
// Where the calling thread's operators put what they make from nothing; a CUDA device becomes the thread's current one.
KT_API kt_status kt_use_device(int32_t type, int32_t index, int32_t* previous_type, int32_t* previous_index) KT_NOEXCEPT;

// ---- threads ----
KT_API kt_status kt_set_threads(int32_t count) KT_NOEXCEPT;
KT_API kt_status kt_threads(int32_t* count) KT_NOEXCEPT;

// ---- memory ----
// Freed CPU blocks are kept for the next allocation of their size, up to this many bytes; 0 keeps none.
KT_API kt_status kt_cache_limit(int64_t bytes) KT_NOEXCEPT;
KT_API kt_status kt_cached_bytes(int64_t* bytes) KT_NOEXCEPT;
// Bytes of tensors in CPU memory now, and the most there were since the last reset.
KT_API kt_status kt_live_bytes(int64_t* live, int64_t* peak, int32_t reset_peak) KT_NOEXCEPT;

// ---- training kernels ----
// For channels-last images in CPU memory, with gradients. The result is null where a function doesn't apply; nothing
// has happened then, and libtorch's own operator does it.
// Normalises with the batch's statistics, then cuts: nonlinearity 0 nothing, 1 relu, 2 relu6. running = keep * running
// + (1 - keep) * batch; both running tensors may be null. With a group the
// batch is that of all its processes together. biased: the variance is divided by n, else by n - 1.
KT_API kt_status kt_batch_norm(kt_tensor x, kt_tensor weight, kt_tensor bias, kt_tensor running_mean,
                               kt_tensor running_variance, double keep, double epsilon, int32_t biased,
                               int32_t nonlinearity, kt_group group,
                               int32_t contributes, kt_tensor* result) KT_NOEXCEPT;
KT_API kt_status kt_relu6(kt_tensor x, kt_tensor* result) KT_NOEXCEPT;
// Two strides and two paddings; as many groups as channels.
KT_API kt_status kt_depthwise_conv2d(kt_tensor x, kt_tensor weight, kt_tensor bias, const int64_t* stride,
                                     const int64_t* padding, kt_tensor* result) KT_NOEXCEPT;

// ---- groups of processes ----
// Every exchange must be made by all processes of a group in the same order. One that fails or takes longer than the
// group's time gives KT_PEER.
enum {
  KT_GLOO = 0,  // CPU tensors
  KT_NCCL = 1,  // CUDA tensors
};
enum {
  KT_SUM = 0,
  KT_MAX = 1,
};
// Bit 1 << KT_GLOO, bit 1 << KT_NCCL: what the library was built with.
KT_API kt_status kt_backends(int32_t* backends) KT_NOEXCEPT;
// Where the processes find each other; the first listens at host:port. Waits until all size processes are there.
KT_API kt_status kt_store_open(const char* host, int32_t port, int32_t rank, int32_t size, int64_t timeout_ms,
                               kt_store* store) KT_NOEXCEPT;
KT_API kt_status kt_store_close(kt_store store) KT_NOEXCEPT;
KT_API kt_status kt_store_set(kt_store store, const char* key, const uint8_t* bytes, int64_t count) KT_NOEXCEPT;
// Doesn't wait: count is -1 where the key has not been set, else the whole length, of which up to capacity are copied.
KT_API kt_status kt_store_try_get(kt_store store, const char* key, uint8_t* bytes, int64_t capacity,
                                  int64_t* count) KT_NOEXCEPT;
// Groups of one store differ in their names. Connects all processes.
KT_API kt_status kt_group_create(int32_t backend, kt_store store, const char* name, int32_t rank, int32_t size,
                                 int64_t timeout_ms, kt_group* group) KT_NOEXCEPT;
KT_API kt_status kt_group_release(kt_group group) KT_NOEXCEPT;
// In place, over the elements as they lie in memory; the tensor must be dense and stay as it is until the work is done.
KT_API kt_status kt_group_all_reduce(kt_group group, kt_tensor tensor, int32_t operation, kt_work* work) KT_NOEXCEPT;
KT_API kt_status kt_group_broadcast(kt_group group, kt_tensor tensor, int32_t root, kt_work* work) KT_NOEXCEPT;
// result: as many times the elements of tensor as there are processes, in order of rank.
KT_API kt_status kt_group_all_gather(kt_group group, kt_tensor tensor, kt_tensor result, kt_work* work) KT_NOEXCEPT;
KT_API kt_status kt_group_barrier(kt_group group) KT_NOEXCEPT;
KT_API kt_status kt_work_wait(kt_work work, kt_group group) KT_NOEXCEPT;
KT_API kt_status kt_work_test(kt_work work, int32_t* done) KT_NOEXCEPT;
KT_API kt_status kt_work_release(kt_work work) KT_NOEXCEPT;
// Sums the gradients of parameters over the group, in buckets that are sent as soon as a backward pass has filled them.
KT_API kt_status kt_reducer_create(kt_group group, const kt_tensor* parameters, int32_t count, int64_t bucket_bytes,
                                   kt_reducer* reducer) KT_NOEXCEPT;
KT_API kt_status kt_reducer_release(kt_reducer reducer) KT_NOEXCEPT;
KT_API kt_status kt_reducer_buckets(kt_reducer reducer, int32_t* count) KT_NOEXCEPT;
// Before the last backward pass of a step. contributes 0: this process's gradients count as zero.
KT_API kt_status kt_reducer_begin(kt_reducer reducer, int32_t contributes) KT_NOEXCEPT;
// After it: each parameter's gradient is then the sum; one that no process has a gradient for is left alone.
KT_API kt_status kt_reducer_finish(kt_reducer reducer, int32_t* sent_during_backward) KT_NOEXCEPT;
// kt_batch_norm's meaning over the joined batch of the group, for every layout and floating-point type.
KT_API kt_status kt_sync_batch_norm(kt_tensor x, kt_tensor weight, kt_tensor bias, kt_tensor running_mean,
                                    kt_tensor running_variance, double keep, double epsilon, int32_t biased,
                                    kt_group group, int32_t contributes, kt_tensor* result) KT_NOEXCEPT;

// ---- optimiser kernels ----
// v = momentum * v + (g + decay * p); p -= rate * (nesterov ? g + decay * p + momentum * v : v), element by element in
// one pass. All three tensors of a row: same element type (float32 or float64) and shape, dense.
KT_API kt_status kt_sgd(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients,
                        const kt_tensor* velocities, const double* rates, const double* decays, double momentum,
                        int32_t nesterov) KT_NOEXCEPT;
// With d = g + decay * p: square = rho * square + (1 - rho) * d * d; mean = rho * mean + (1 - rho) * d;
// m = momentum * m + rate * d / sqrt(square - mean * mean + epsilon); p -= m. Without means the root is that of
// square + epsilon; means is null then. Tensors as above.
KT_API kt_status kt_rmsprop(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients,
                            const kt_tensor* squares, const kt_tensor* means, const kt_tensor* momenta,
                            const double* rates, const double* decays, double rho, double epsilon,
                            double momentum) KT_NOEXCEPT;
// With d = g + decay * p: first = beta1 * first + (1 - beta1) * d; second = beta2 * second + (1 - beta2) * d * d;
// p = keep * p - rate * first / (sqrt(second) + epsilon). The caller puts the bias corrections into rates and epsilons.
KT_API kt_status kt_adam(int32_t count, const kt_tensor* parameters, const kt_tensor* gradients,
                         const kt_tensor* firsts, const kt_tensor* seconds, const double* rates,
                         const double* epsilons, const double* decays, const double* keeps, double beta1,
                         double beta2) KT_NOEXCEPT;
// For tests: on, the calling thread's optimisers take libtorch's operators on the CPU too, as they do elsewhere.
KT_API kt_status kt_general_optimizers(int32_t on) KT_NOEXCEPT;
// Sum of the squares of all elements, in double precision; the same bits for every number of threads.
KT_API kt_status kt_squared_norm(int32_t count, const kt_tensor* tensors, double* sum) KT_NOEXCEPT;

#if defined(__cplusplus)
}
#endif
