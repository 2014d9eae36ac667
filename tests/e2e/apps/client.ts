// An application that calls others but serves nobody: it prints its environment, from which a test learns where its
// sidecar listens, and stays until it is told to end.
const names = Object.keys(process.env).filter((name) => name === 'HTTP_PROXY' || name.endsWith('_URL'));
console.log(
  `environment ${JSON.stringify(Object.fromEntries(names.map((name) => [name, process.env[name]])))}`,
);
setInterval(() => undefined, 60_000);
