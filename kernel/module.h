/* What every part of veilface.kernel._scan checks its arguments with. */
#ifndef VEILFACE_MODULE_H
#define VEILFACE_MODULE_H

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <stdexcept>

#include "kernel.h"

namespace nb = nanobind;

template <typename Word> using Array = nb::ndarray<Word, nb::c_contig, nb::device::cpu>;
using Words = Array<const uint32_t>;
using Output = Array<uint32_t>;
using Bytes = Array<uint8_t>;

inline void require(bool fits, const char *sentence) {
    if (!fits) throw std::invalid_argument(sentence);
}

template <typename A> bool is_shaped(const A &array, std::initializer_list<size_t> shape) {
    if (array.ndim() != shape.size()) return false;
    size_t axis = 0;
    for (size_t extent : shape)
        if (array.shape(axis++) != extent) return false;
    return true;
}

inline vf_level level_of(int level) {
    require(level >= 0 && level <= vf_best_level(), "this machine has no such instructions");
    return static_cast<vf_level>(level);
}

/* query_module.cpp: the online half of a gallery query. */
void define_query(nb::module_ &module);
/* conversion_module.cpp: ingest, and a query's probe. */
void define_conversion(nb::module_ &module);

#endif
