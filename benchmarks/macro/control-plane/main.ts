// `npm run bench:control-plane`: what it costs the control plane to serve many sidecars.
//
// A simulated sidecar speaks delta ADS like a real one; thousands of them need a program of their own, which is not
// there yet. Until it is, this says so and fails nothing.
console.log('bench:control-plane: the load of simulated sidecars is not there yet; nothing was measured');
