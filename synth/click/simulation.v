// Simulation models of the cells of clockless circuits; delays D in ps, never zero.
//
// With +delay_seed=N, N > 0, an instance draws a delay of D to 3 D when the simulation begins, and
// another ninth of that at most at every event. A matched delay draws from 3 D to 6 D, so that it
// stays longer than a fire buffer or a mutual-exclusion element whose D is shorter.

`timescale 1ps / 1ps

package click_random;
  int unsigned seed = 0, state = 0;
  bit ready = 0;

  function automatic int unsigned draw(int unsigned below);
    if (!ready) begin
      ready = 1;
      if (!$value$plusargs("delay_seed=%d", seed)) seed = 0;
      state = seed;
    end
    if (seed == 0 || below == 0) return 0;
    state = state * 32'd1664525 + 32'd1013904223;  // Numerical Recipes, 2nd ed., section 7.1
    return (state >> 8) % below;
  endfunction
endpackage

// Between the fire condition of a stage and the clock of its registers: the width of a click.
module click_fire #(parameter int D = 1) (input wire a, output reg y);
  int unsigned own;
  initial begin
    own = D + click_random::draw(2 * D - 2 * D / 9);
    y = 0;
  end
  always @(a) begin
    #(own + click_random::draw(own / 9 + 1));
    y = a;
  end
endmodule

// Matched delay of a request.
module click_delay #(parameter int D = 1) (input wire a, output reg y);
  int unsigned own;
  initial begin
    own = D + click_random::draw(0);
    if (click_random::seed != 0) own = 3 * D + click_random::draw(3 * D);
    y = 0;
  end
  always @(a) begin
    #(own + click_random::draw(own / 9 + 1));
    y = a;
  end
endmodule

// Mutual exclusion: x and y are the outputs of its two cross-coupled NAND gates, low when granted.
// Where one side gives up and the other waits, that one is next, whatever the first asks since.
module click_mutex #(parameter int D = 1) (input wire r0, r1, output wire g0, g1);
  reg x, y;
  int unsigned own;
  assign g0 = ~x & y;
  assign g1 = ~y & x;
  initial begin
    own = D + click_random::draw(2 * D - 2 * D / 9);
    x = 1;
    y = 1;
  end
  always begin
    wait (x && y ? (r0 === 1 || r1 === 1) : x ? r1 === 0 : r0 === 0);
    #(own + click_random::draw(own / 9 + 1));
    if (!x) begin
      x = 1;
      if (r1 === 1) begin
        #(own);
        y = 0;
      end
    end else if (!y) begin
      y = 1;
      if (r0 === 1) begin
        #(own);
        x = 0;
      end
    end else if (r0 === 1 && r1 === 1) begin
      if (click_random::draw(2) != 0) y = 0;
      else x = 0;
    end else if (r0 === 1) x = 0;
    else if (r1 === 1) y = 0;
  end
endmodule
