// SPDX-License-Identifier: BSD-2-Clause
// A waveform in one of Verilator's formats, which tells whether all of it reached the file.

#include <cerrno>
#include <cstdio>
#include <string>

#if VM_TRACE_FST
#include "verilated_fst_c.h"

class Waveform {
    const std::string path;

public:
    VerilatedFstC writer;

    explicit Waveform(const char *path) : path{path} {}

    bool begin() {
        writer.open(path.c_str());
        return writer.isOpen();
    }

    // The header comes last, on a stream that refuses everything after its first failure. Its
    // length stands behind a byte for its kind, and is not zero.
    bool end() {
        writer.close();
        unsigned char head[9] = {};
        if (std::FILE *file = std::fopen(path.c_str(), "rb")) {
            std::fread(head, 1, sizeof head, file);
            std::fclose(file);
        }
        for (int i = 1; i < 9; ++i) {
            if (head[i]) return true;
        }
        return false;
    }
};

#else
#include "verilated_vcd_c.h"

class Waveform {
    // Verilator ends the process where a write fails.
    struct File : VerilatedVcdFile {
        bool whole = true;

        ssize_t write(const char *bytes, ssize_t count) override {
            if (!whole) return count;
            const ssize_t done = VerilatedVcdFile::write(bytes, count);
            if (done >= 0 || errno == EAGAIN || errno == EINTR) return done;
            whole = false;
            return count;
        }
    };

    const std::string path;
    File file;

public:
    VerilatedVcdC writer{&file};

    explicit Waveform(const char *path) : path{path} {}

    bool begin() {
        writer.open(path.c_str());
        return writer.isOpen();
    }

    bool end() {
        writer.close();
        return file.whole;
    }
};
#endif
