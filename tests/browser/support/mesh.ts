import { fileURLToPath } from 'node:url';
import { type Child, runChild, startChild, temporaryDirectory } from '@heddle/testkit';

/** A mesh with a dashboard, and what one needs to look at it. */
export interface Mesh extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, where the control plane serves the dashboard and its API. */
  readonly url: string;
  /** Admits a person to the dashboard. */
  readonly token: string;
  /** Runs `heddle` where the mesh is; returns it ended, with its output. */
  heddle(...parameters: string[]): Promise<Child>;
}

const launcher = fileURLToPath(new URL('../../../packages/cli/bin/heddle', import.meta.url));
const examples = fileURLToPath(new URL('../../../examples/bookinfo/', import.meta.url));

/** Starts the demo, which has traffic, and gives it a rule. The dashboard must have been built. */
export async function startMesh(): Promise<Mesh> {
  const directory = await temporaryDirectory('heddle-browser');
  const demo = await startChild(launcher, { arguments: ['demo'], directory: directory.path });
  const mesh = async (): Promise<Mesh> => {
    const [, url = '', token = ''] = await demo.line(/Dashboard\s+(http:\S+)\/#token=(\S+)/, 60_000);
    const heddle = (...parameters: string[]): Promise<Child> =>
      runChild(launcher, { arguments: parameters, directory: directory.path });
    const applied = await heddle('apply', '-f', `${examples}reviews-80-20.yaml`);
    if (applied.exit?.code !== 0) throw new Error(applied.output);
    return { url, token, heddle, [Symbol.asyncDispose]: end };
  };
  const end = async (): Promise<void> => {
    await demo.stop(15_000);
    await directory[Symbol.asyncDispose]();
  };
  try {
    return await mesh();
  } catch (error) {
    await end();
    throw error;
  }
}
