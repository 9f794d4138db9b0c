"""A small library with every feature that the reader reads, written by hand."""

__all__ = ["EVERYTHING"]

EVERYTHING = r"""
/* a comment with "quotes", { braces } and ; semicolons */
library ("every thing") {
  define (colour, cell, string);
  define_group(shade, pin);
  delay_model : table_lookup
  time_unit : "10ps" ;
  voltage_unit : "1mV";
  capacitive_load_unit (10, ff);
  leakage_power_unit : 100pW;  // as some write it
  nom_voltage : 900;
  voltage_map (VDD, 900);
  operating_conditions (fast) { voltage : 1000; process : 1; }
  operating_conditions (slow) { voltage : 800; process : 1; }
  default_operating_conditions : slow;
  default_cell_leakage_power : 7;
  default_input_pin_cap : 3;
  default_output_pin_cap : 0.5;
  type (byte) { base_type : array; data_type : bit; bit_width : 4; bit_from : 3; bit_to : 0;
    downto : true; }
  lu_table_template (slew_load) {
    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("1, 2"); index_2 ("10, 20, 30");
  }
  lu_table_template (load_slew) {
    variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
    index_1 ("10, 20, 30"); index_2 ("1, 2");
  }
  lu_table_template (load_only) { variable_1 : total_output_net_capacitance; index_1 ("1, 3"); }
  power_lut_template (slew_only) { variable_1 : input_transition_time; index_1 ("1 2 3"); }
  lu_table_template (setup) {
    variable_1 : constrained_pin_transition; variable_2 : related_pin_transition;
    index_1 ("1, 2"); index_2 ("1, 2");
  }
  lu_table_template (three) {
    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    variable_3 : related_out_total_output_net_capacitance;
    index_1 ("1"); index_2 ("1"); index_3 ("1");
  }
  cell (NAND) {
    area : 1.5; colour : "red";
    cell_leakage_power : 2.5;
    leakage_power () { when : "A & !B"; value : 1.25; }
    leakage_power () { value : "3"; }
    pg_pin (VDD) { pg_type : primary_power; voltage_name : VDD; }
    pin (A, B) { direction : input; capacitance : 1.5; rise_capacitance : 2; }
    pin ("Y") {
      direction : "output"
      function : "(A \
                   B)'";
      max_capacitance : 40
      shade (dark) { depth : 3; }
      timing () {
        related_pin : "A B";
        cell_rise (slew_load) { values ("1, 2, 3", "4, 5, 6"); }
        cell_fall (load_slew) { values ("1, 4", \
            "2, 5", \
            "3, 6"); }
        rise_transition (load_only) { index_1 ("2, 4, 8"); values ("1, 2, 3"); }
        fall_transition (scalar) { values ("0.25"); }
      }
      timing () {
        related_pin : "A"; timing_type : "combinational"; timing_sense : positive_unate;
        when : "B";
        cell_rise (scalar) { values (1); }
      }
      internal_power () {
        related_pin : "A"; when : "B";
        rise_power (slew_load) { index_1 ("3, 4"); values ("1, 2, 3, 4, 5, 6"); }
        fall_power (slew_only) { values ("-1, 0, 1"); }
      }
      internal_power () { related_pin : "B A"; power (scalar) { values ("8"); } }
    };
  }
  cell (TRI) {
    dont_use : true;
    pin (A) { direction : input; }
    pin (E) { direction : input; rise_capacitance : 1; fall_capacitance : 2; }
    pin (Y) { direction : output; function : "A"; three_state : "!E";
      timing () { related_pin : E; timing_type : three_state_enable;
        cell_rise (scalar) { values ("1"); } }
      internal_power () { power (three) { values ("1"); } }
    }
  }
  cell (FLOP) {
    ff ("IQ", "IQ_N") { next_state : "D"; clocked_on : "!CK"; clear : "!RN"; preset : "!SN";
      clear_preset_var1 : H; clear_preset_var2 : X; }
    pin (CK) { clock : true; direction : input;
      internal_power () { rise_power (slew_only) { values ("1, 2, 3"); }
                          fall_power (slew_only) { values ("4, 5, 6"); } }
      timing () { timing_type : min_pulse_width; related_pin : CK;
        rise_constraint (scalar) { values ("1"); } } }
    pin (D) { direction : input;
      timing () { related_pin : CK; timing_type : setup_falling;
        rise_constraint (setup) { values ("1, 2", "3, 4"); } } }
    pin (RN) { direction : input; } pin (SN) { direction : input; }
    pin (Q) { direction : output; function : IQ;
      timing () { related_pin : CK; timing_type : falling_edge;
        cell_rise (scalar) { values ("1"); } }
      timing () { related_pin : RN; timing_type : clear; timing_sense : positive_unate;
        cell_fall (scalar) { values ("1"); } } }
    pin (QN) { direction : output; function : "IQ_N"; }
    test_cell () { pin (D) { direction : input; signal_type : test_scan_in; } }
  }
  cell (LATCH) {
    latch (IQ, IQN) { data_in : D; enable : "G"; }
    pin (D) { direction : input; } pin (G) { direction : input; }
    pin (Q) { direction : output; function : IQ; }
  }
  cell (GATE) {
    clock_gating_integrated_cell : "latch_posedge_precontrol";
    statetable ("CK E SE", "M") { table : "L L L : - : L , \
                                           H - - : - : N"; }
    pin (CK) { direction : input; clock_gate_clock_pin : true; }
    pin (E) { direction : input; clock_gate_enable_pin : true; }
    pin (SE) { direction : input; clock_gate_test_pin : true; }
    pin (M) { direction : internal; internal_node : M; }
    pin (GCK) { direction : output; clock_gate_out_pin : true; state_function : "CK * M"; }
  }
  cell (RAM) {
    is_macro_cell : true;
    memory () { type : ram; address_width : 2; word_width : 4; }
    bus (A) { bus_type : byte; direction : input; capacitance : 4;
      pin (A[2]) { capacitance : 5; } }
    bus (Q) { bus_type : byte; direction : output;
      timing () { related_pin : "A"; cell_rise (scalar) { values ("1"); } }
      internal_power () { related_bus_pins : "A"; power (scalar) { values ("1"); } } }
    pin (CK) { direction : input; }
  }
  cell (PAIR) {
    bundle (X) { members (X0, X1); direction : input; }
    bundle (Y) { members (Y0, Y1); direction : output; function : "!X";
      timing () { related_pin : X; cell_rise (scalar) { values ("1"); } } }
  }
  cell (BANK) {
    ff_bank (IQ, IQN, 2) { next_state : D; clocked_on : CK; }
    bundle (D) { members (D0, D1); direction : input; }
    pin (CK) { direction : input; }
    bundle (Q) { members (Q0, Q1); direction : output; function : IQ; }
  }
  cell (TIE) { pin (Y) { direction : output; function : "1"; } }
  cell (FILL) { area : 3; }
}
"""
