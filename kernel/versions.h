/* One body, compiled once for each instruction set: VF_VERSIONS(type, name, (parameters), (arguments)) makes
 * name_at(level) from an always-inlined `name`, which the compiler vectorises for each. */
#ifndef VEILFACE_VERSIONS_H
#define VEILFACE_VERSIONS_H

#include "kernel.h"

#define VF_BODY static inline __attribute__((always_inline))

#if defined(__x86_64__) && defined(__GNUC__)
#define VF_VERSIONS(type, name, parameters, arguments)                                                               \
    static type name##_portable parameters { return name arguments; }                                                \
    __attribute__((target("avx2"))) static type name##_avx2 parameters { return name arguments; }                    \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) static type name##_avx512 parameters {              \
        return name arguments;                                                                                       \
    }                                                                                                                \
    typedef type(*name##_version) parameters;                                                                        \
    static inline name##_version name##_at(vf_level level) {                                                         \
        static const name##_version versions[VF_LEVELS] = {name##_portable, name##_avx2, name##_avx512};             \
        return versions[level];                                                                                      \
    }
#else
#define VF_VERSIONS(type, name, parameters, arguments)                                                               \
    typedef type(*name##_version) parameters;                                                                        \
    static type name##_portable parameters { return name arguments; }                                                \
    static inline name##_version name##_at(vf_level level) {                                                         \
        (void)level;                                                                                                 \
        return name##_portable;                                                                                      \
    }
#endif

#endif
