import {
  type AdvertisedAddress,
  parseAdvertisedAddress,
  parseCount,
  parseDurationMs,
  parseHostPort,
  parseLabel,
  parseLabelValue,
  parseName,
  parsePort,
  parsePortOrZero,
} from '../flags.ts';
import { defineCommand } from './define-command.ts';

export interface RunFlags {
  readonly service?: string;
  readonly version: string;
  readonly port?: number;
  readonly appPort?: number;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'grpc-web' | 'tcp';
  readonly namespace: string;
  readonly serviceAccount?: string;
  readonly label?: readonly (readonly [string, string])[];
  readonly upstream?: readonly string[];
  readonly expose?: string;
  readonly proxy: 'heddle' | 'envoy' | 'grpc';
  readonly envoy?: string;
  readonly intercept?: 'redirect' | 'tproxy';
  readonly interceptRules: 'write' | 'keep';
  readonly join?: string;
  readonly tokenFile?: string;
  readonly store?: string;
  readonly inboundPort?: number;
  readonly advertiseAddress?: AdvertisedAddress;
  readonly accessLog?: string;
  readonly concurrency: number;
  readonly stopTimeout: number;
}

export const runCommand = defineCommand<RunFlags, readonly string[]>(
  {
    brief: 'Run an application and its sidecar, as an instance of a service',
    usage: ['--service NAME --port PORT [FLAGS] -- COMMAND [ARGUMENT...]'],
    text: [
      'Starts a sidecar, then the application beside it, and publishes the instance once the application accepts ' +
        'connections. The application listens on 127.0.0.1, on the port it finds in PORT (or in its arguments where they ' +
        'say {{port}}, or the one named by --app-port). Others reach it through its sidecar only, over mTLS.',
      'It reaches others through its sidecar: HTTP_PROXY leads there (with NODE_USE_ENV_PROXY=1 for Node), so that ' +
        'http://ratings:9080/ simply works; and each --upstream ratings:9080 is an address of its own, in RATINGS_URL ' +
        '(http://127.0.0.1:PORT) and, as host:port, in RATINGS_ADDRESS and wherever the arguments say {{ratings}}; ' +
        '{{ratings-port}} is its port. Arguments may also say {{proxy}} (host:port) and {{proxy-port}}. Any other name ' +
        'in double braces is refused; {{{{name}}}} is passed on as {{name}}.',
      'A service with --protocol tcp is reached by --upstream alone. Its connections share few links between sidecars, ' +
        'whatever they carry; see docs/tcp.md.',
      'With --intercept neither is needed: rules of the packet filter lead all connections of this network namespace ' +
        'through the sidecar, and DNS knows the names of the mesh. The rules are gone when the workload is, however it ends.',
      'With --proxy envoy an Envoy does what the sidecar would; with --proxy grpc the application does it itself, by the xDS ' +
        'of its gRPC library, whose bootstrap GRPC_XDS_BOOTSTRAP names. Keys are made here either way; see ' +
        'docs/foreign-proxies.md.',
      'On SIGTERM or Ctrl-C the instance is withdrawn, running requests end, the application gets SIGTERM, and its exit ' +
        'code is passed on. A second Ctrl-C ends everything at once. SIGUSR2 replaces the sidecar in place, such as ' +
        'by a newer version.',
    ],
    examples: [
      ['An instance of reviews', 'heddle run --service reviews --version v1 --port 9080 -- node reviews.js'],
      [
        'A program that wants its port and a neighbour as arguments',
        'heddle run --service a --port 80 --upstream db:80 -- ./a -p {{port}} {{db}}',
      ],
      [
        'A database, for programs with --upstream db:6379',
        'heddle run --service db --port 6379 --protocol tcp -- ./redis -p {{port}}',
      ],
      ['Beside an Envoy', 'heddle run --proxy envoy --service a --port 80 -- ./a'],
      ['Let browsers in on port 8080', 'heddle run --service web --port 80 --expose 8080 -- node web.js'],
      [
        'Join a mesh on another machine; the token is in the environment',
        'HEDDLE_TOKEN=... heddle run --join 10.0.0.5:15011 --service a --port 80 -- ./a',
      ],
    ],
    exitCodes: [
      ['125', 'Heddle failed before the application could start'],
      ['126, 127', 'the command is no executable program, or there is no such program'],
      ['128 + n', 'signal n ended the application'],
      ['others', "the application's own"],
    ],
  },
  {
    flags: {
      service: {
        kind: 'parsed',
        parse: parseName,
        optional: true,
        placeholder: 'NAME',
        brief: 'the service it is an instance of',
      },
      version: {
        kind: 'parsed',
        parse: parseLabelValue,
        default: '',
        placeholder: 'V',
        brief: 'its label version, such as v1',
      },
      port: {
        kind: 'parsed',
        parse: parsePortOrZero,
        optional: true,
        placeholder: 'PORT',
        brief: "the service's port, the same for every instance; 0 if nobody calls it",
      },
      appPort: {
        kind: 'parsed',
        parse: parsePort,
        optional: true,
        placeholder: 'PORT',
        brief: 'where the application listens, if it does not read PORT',
      },
      protocol: {
        kind: 'enum',
        values: ['http', 'http2', 'grpc', 'grpc-web', 'tcp'],
        default: 'http',
        brief: 'what the application speaks there; grpc-web: gRPC, also for web pages; tcp: anything else',
      },
      namespace: {
        kind: 'parsed',
        parse: parseName,
        default: 'default',
        placeholder: 'NS',
        brief: 'its namespace',
      },
      serviceAccount: {
        kind: 'parsed',
        parse: parseName,
        optional: true,
        placeholder: 'SA',
        brief: 'last part of its identity; the service name if nothing is said',
      },
      label: {
        kind: 'parsed',
        parse: parseLabel,
        optional: true,
        variadic: true,
        placeholder: 'K=V',
        brief: 'a further label; may be repeated',
      },
      upstream: {
        kind: 'parsed',
        parse: String,
        optional: true,
        variadic: true,
        placeholder: 'S[.NS]:PORT',
        brief: 'a service it calls; may be repeated',
      },
      expose: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: '[IP:]PORT',
        brief: 'open a plain HTTP listener for browsers, on loopback if no IP is said',
      },
      proxy: {
        kind: 'enum',
        values: ['heddle', 'envoy', 'grpc'],
        default: 'heddle',
        brief: "what moves its traffic: Heddle's sidecar, an Envoy, or its own gRPC library by xDS",
      },
      envoy: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: "Envoy's program; HEDDLE_ENVOY or envoy in PATH if nothing is said",
      },
      intercept: {
        kind: 'enum',
        values: ['redirect', 'tproxy'],
        optional: true,
        brief: 'lead all connections of this network namespace through the sidecar; needs root',
      },
      interceptRules: {
        kind: 'enum',
        values: ['write', 'keep'],
        default: 'write',
        brief: 'its rules: written and removed here, or those of heddle intercept apply',
      },
      join: {
        kind: 'parsed',
        parse: parseHostPort,
        optional: true,
        placeholder: 'HOST:PORT',
        brief: 'a control plane on another machine',
      },
      tokenFile: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'a join token (or in HEDDLE_TOKEN); a local mesh needs none',
      },
      store: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'DIR',
        brief: 'where the mesh is kept; the nearest .heddle upwards',
      },
      inboundPort: {
        kind: 'parsed',
        parse: parsePort,
        optional: true,
        placeholder: 'PORT',
        brief: "the sidecar's mTLS port",
      },
      advertiseAddress: {
        kind: 'parsed',
        parse: parseAdvertisedAddress,
        optional: true,
        placeholder: 'IP[:PORT]',
        brief: 'where others reach its mTLS port, if not where it is',
      },
      concurrency: {
        kind: 'parsed',
        parse: parseCount,
        default: '1',
        placeholder: 'N',
        brief: 'threads of the sidecar that move bytes',
      },
      accessLog: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'a line for each request; - for standard output',
      },
      stopTimeout: {
        kind: 'parsed',
        parse: parseDurationMs,
        default: '10s',
        placeholder: 'TIME',
        brief: 'how long it may take to end after SIGTERM',
      },
    },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'array',
      parameter: { parse: String, brief: 'the program and its arguments', placeholder: 'COMMAND' },
    },
  },
  async () => (await import('../run/run.ts')).run,
);
