// SPDX-License-Identifier: BSD-2-Clause
// Block RAM and multiplier of the ECP5, which yosys only declares, as far as it uses them: without
// output registers, with rising clocks, always selected. One pin a bit, as synthesis connects them.

`define PINS14(p) p``13, p``12, p``11, p``10, p``9, p``8, p``7, p``6, p``5, p``4, p``3, p``2, p``1, p``0
`define PINS18(p) p``17, p``16, p``15, p``14, `PINS14(p)
`define PINS36(p) p``35, p``34, p``33, p``32, p``31, p``30, p``29, p``28, p``27, p``26, p``25, p``24, \
    p``23, p``22, p``21, p``20, p``19, p``18, `PINS18(p)

// A parameter holds 16 words of 18 bits, each in 20.
`define INITVALS(i) \
    INITVAL_``i``F, INITVAL_``i``E, INITVAL_``i``D, INITVAL_``i``C, INITVAL_``i``B, INITVAL_``i``A, \
    INITVAL_``i``9, INITVAL_``i``8, INITVAL_``i``7, INITVAL_``i``6, INITVAL_``i``5, INITVAL_``i``4, \
    INITVAL_``i``3, INITVAL_``i``2, INITVAL_``i``1, INITVAL_``i``0
`define DECLARE(i) parameter [319:0] \
    INITVAL_``i``F = 0, INITVAL_``i``E = 0, INITVAL_``i``D = 0, INITVAL_``i``C = 0, \
    INITVAL_``i``B = 0, INITVAL_``i``A = 0, INITVAL_``i``9 = 0, INITVAL_``i``8 = 0, \
    INITVAL_``i``7 = 0, INITVAL_``i``6 = 0, INITVAL_``i``5 = 0, INITVAL_``i``4 = 0, \
    INITVAL_``i``3 = 0, INITVAL_``i``2 = 0, INITVAL_``i``1 = 0, INITVAL_``i``0 = 0;

module DP16KD (
    input `PINS18(DIA), `PINS14(ADA), CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output `PINS18(DOA),
    input `PINS18(DIB), `PINS14(ADB), CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output `PINS18(DOB)
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "AUTO";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    `DECLARE(0)
    `DECLARE(1)
    `DECLARE(2)
    `DECLARE(3)

    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB"
            || WRITEMODE_A == "WRITETHROUGH" || WRITEMODE_B == "WRITETHROUGH")
        $error("a mode of DP16KD that is not modelled");

    // Rows as wide as the widest word.
    reg [35:0] rows [0:511];
    localparam [20479:0] INITIAL = {`INITVALS(3), `INITVALS(2), `INITVALS(1), `INITVALS(0)};
    integer row, bit_a, bit_b;
    initial for (row = 0; row < 512; row = row + 1)
        rows[row] = {INITIAL[40 * row + 20 +: 18], INITIAL[40 * row +: 18]};

    // Where a word begins in its row: below nine bits the ninth bit of each byte lies idle.
    function [5:0] place(input [13:0] address, input integer width);
        case (width)
            36: place = 0;
            18: place = 18 * address[4];
            9: place = 9 * address[4:3];
            4: place = 9 * address[4:3] + 4 * address[2];
            2: place = 9 * address[4:3] + 2 * address[2:1];
            default: place = 9 * address[4:3] + address[2:0];
        endcase
    endfunction

    // Words of 18 and 36 bits have an enable for each nine, in place of the low address.
    function [35:0] enables(input [13:0] address, input integer width);
        case (width)
            36: enables = {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}};
            18: enables = {18'd0, {9{address[1]}}, {9{address[0]}}};
            default: enables = (36'd1 << width) - 36'd1;
        endcase
    endfunction

    wire [13:0] address_a = {`PINS14(ADA)}, address_b = {`PINS14(ADB)};
    wire [8:0] row_a = address_a[13:5], row_b = address_b[13:5];
    wire [5:0] place_a = place(address_a, DATA_WIDTH_A), place_b = place(address_b, DATA_WIDTH_B);
    wire [17:0] in_a = {`PINS18(DIA)}, in_b = {`PINS18(DIB)};
    // A write of 36 bits goes in by both sides, and a read of 36 bits comes out of both.
    wire [35:0] data_a = {in_b, in_a} << place_a, data_b = {in_b, in_b} << place_b;
    wire [35:0] mask_a = CEA && WEA ? enables(address_a, DATA_WIDTH_A) << place_a : 36'd0;
    wire [35:0] mask_b = CEB && WEB ? enables(address_b, DATA_WIDTH_B) << place_b : 36'd0;

    // What a read finds where the other side writes in the same cycle is not defined: ones, here.
    reg [35:0] read_a = 0, read_b = 0;
    wire reads_a = CEA && (!WEA || WRITEMODE_A == "READBEFOREWRITE");
    wire reads_b = CEB && (!WEB || WRITEMODE_B == "READBEFOREWRITE");
    always @(posedge CLKA) begin
        for (bit_a = 0; bit_a < 36; bit_a = bit_a + 1)
            if (mask_a[bit_a]) rows[row_a][bit_a] <= data_a[bit_a];
        if (reads_a) read_a <= (rows[row_a] | (row_a == row_b ? mask_b : 36'd0)) >> place_a;
        if (RSTA) read_a <= 0;
    end
    always @(posedge CLKB) begin
        for (bit_b = 0; bit_b < 36; bit_b = bit_b + 1)
            if (mask_b[bit_b]) rows[row_b][bit_b] <= data_b[bit_b];
        if (reads_b) read_b <= (rows[row_b] | (row_b == row_a ? mask_a : 36'd0)) >> place_b;
        if (RSTB) read_b <= 0;
    end
    assign {`PINS18(DOA)} = DATA_WIDTH_B == 36 ? read_b[17:0] : read_a[17:0];
    assign {`PINS18(DOB)} = DATA_WIDTH_B == 36 ? read_b[35:18] : read_b[17:0];
endmodule

// Synthesis leaves its registers unused; tools/ecp5_multiplier_registers.py uses those modelled here,
// clocked by CLK0 and always enabled.
module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0",
    parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0",
    parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0"
) (
    input `PINS18(A), `PINS18(B), `PINS18(C), SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0,
    output `PINS36(P)
);
    wire signed [18:0] a = {SIGNEDA & A17, `PINS18(A)};
    wire signed [18:0] b = {SIGNEDB & B17, `PINS18(B)};
    reg signed [18:0] held_a = 0, held_b = 0;
    wire signed [37:0] product =
        (REG_INPUTA_CLK == "NONE" ? a : held_a) * (REG_INPUTB_CLK == "NONE" ? b : held_b);
    reg signed [37:0] held_product = 0;
    always @(posedge CLK0) if (CE0) begin
        held_a <= RST0 ? 0 : a;
        held_b <= RST0 ? 0 : b;
        held_product <= RST0 ? 0 : product;
    end
    assign {`PINS36(P)} = REG_OUTPUT_CLK == "NONE" ? product[35:0] : held_product[35:0];
endmodule
