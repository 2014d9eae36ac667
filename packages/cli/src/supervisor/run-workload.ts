// Runs one application beside its sidecar, from the first port to the last exit.
import { join } from 'node:path';
import { errorMessage, systemClock } from '@heddle/base';
import { sidecarEntry } from '@heddle/proxy';
import { agentEntry } from '../agent/agent-entry.ts';
import { grpcBootstrapFile } from '../agent/grpc-bootstrap-file.ts';
import { CliError, usageError } from '../cli-error.ts';
import { type Application, type ApplicationEnd, signalExitCode, startApplication } from './app-process.ts';
import { within } from './delay.ts';
import { applicationEnvironment, templateValues } from './environment.ts';
import { findEnvoy } from './find-envoy.ts';
import { findJoinTarget } from './join-target.ts';
import { planWorkload, type WorkloadPlan } from './plan-workload.ts';
import { HeldInterception } from '../intercept/held-interception.ts';
import { interceptionDefaults } from '../intercept/interception-options.ts';
import { planRules, requirePrivileges } from './plan-interception.ts';
import { PortBlocks } from './ports.ts';
import { proxyDeafness } from './proxy-support.ts';
import { interpreterOf, resolveProgram } from './resolve-program.ts';
import {
  removeSidecarDirectory,
  sweepSidecarDirectories,
  writeSidecarDirectory,
} from './sidecar-directory.ts';
import { SidecarProcess } from './sidecar-process.ts';
import { fillTemplates } from './template.ts';
import { watchApplication } from './watch-application.ts';
import type { WorkloadContext, WorkloadOptions, WorkloadOutput } from './workload-options.ts';

/** How long the proxies of others may take to acknowledge that the instance is gone. */
const withdrawTimeoutMs = 5_000;
const drainTimeoutMs = 5_000;
/** After the application has ended by itself: nothing that still runs could get an answer from it. */
const shortDrainTimeoutMs = 500;

/** After this somebody at a terminal wonders. */
const slowStopMs = 1_000;

const clock = systemClock;

/** Resolves when the signal is aborted, with the exit code of a program that its reason (a signal's name) ended. */
async function aborted(signal: AbortSignal): Promise<number> {
  if (!signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }
  const reason: unknown = signal.reason;
  return signalExitCode(reason === 'SIGINT' || reason === 'SIGHUP' ? reason : 'SIGTERM');
}

/**
 * Runs the application until it ends or `signal` asks for the end; returns the exit code to pass on (128 + n where a
 * signal ended it). In this order: the sidecar serves, then the application starts, then it is published. Towards the
 * end the other way round: withdrawn and acknowledged, drained, application ended, sidecar ended.
 *
 * Rejects with a `CliError` where it can't be started; nothing is left running then.
 */
export async function runWorkload(options: WorkloadOptions, context: WorkloadContext): Promise<number> {
  const [program] = options.command;
  if (program === undefined) {
    throw usageError(
      'there is no command to run',
      'write it after `--`, such as: heddle run … -- node app.js',
    );
  }
  if (options.intercept !== null) requirePrivileges(options.intercept);
  const environment = context.environment ?? process.env;
  const searchPath = environment['PATH'] ?? '';
  const programPath = await resolveProgram(program, searchPath);
  const ports = new PortBlocks();
  try {
    const target = await findJoinTarget(options);
    const envoy = options.proxy === 'envoy' ? await findEnvoy(options.envoy, environment) : null;
    const plan = await planWorkload(options, target, ports, envoy);
    const isIntercepted = options.intercept !== null;
    const { stateDirectory } = plan.sidecar;
    const addresses = {
      ...plan.sidecar,
      upstreams: plan.upstreams,
      isIntercepted,
      ...(options.proxy === 'grpc' ? { grpcBootstrap: grpcBootstrapFile(stateDirectory) } : {}),
    };
    const command = fillTemplates(options.command, templateValues(addresses));
    await sweepSidecarDirectories(options.store);
    // An application with an address for each upstream need not know of proxies.
    const isJudged =
      options.upstreams.length === 0 && options.intercept === null && options.proxy !== 'grpc'
        ? warnOfDeafRuntime(programPath, searchPath, context.output)
        : Promise.resolve(true);
    const run = new WorkloadRun(options, context, plan, command, isJudged);
    return await run.run(
      applicationEnvironment(environment, addresses),
      await writeSidecarDirectory(plan.sidecar),
    );
  } finally {
    ports.close();
  }
}

/** Warns where the program's runtime ignores proxy variables for certain; returns whether it did. */
async function warnOfDeafRuntime(
  program: string,
  searchPath: string,
  output: WorkloadOutput,
): Promise<boolean> {
  const runtime = (await interpreterOf(program, searchPath)) ?? program;
  const deafness = await proxyDeafness(runtime);
  if (deafness !== null) output.warning(deafness.message, deafness.hint);
  return deafness !== null;
}

class WorkloadRun {
  private readonly options: WorkloadOptions;
  private readonly context: WorkloadContext;
  private readonly plan: WorkloadPlan;
  private readonly command: readonly string[];
  /** Its runtime needs no more judging: it has been warned about, or it doesn't matter. */
  private readonly isJudged: Promise<boolean>;
  private identity = '';
  private published = false;
  private interception: HeldInterception | null = null;

  constructor(
    options: WorkloadOptions,
    context: WorkloadContext,
    plan: WorkloadPlan,
    command: readonly string[],
    isJudged: Promise<boolean>,
  ) {
    this.options = options;
    this.context = context;
    this.plan = plan;
    this.command = command;
    this.isJudged = isJudged;
  }

  async run(environment: NodeJS.ProcessEnv, optionsFile: string): Promise<number> {
    const { output, signal } = this.context;
    const directory = this.plan.sidecar.stateDirectory;
    const sidecar = new SidecarProcess({
      entry: this.context.sidecarEntry ?? (this.options.proxy === 'heddle' ? sidecarEntry : agentEntry),
      optionsFile,
      logFile: join(directory, 'sidecar.log'),
      group: this.plan.sidecar.interception === undefined ? null : interceptionDefaults.owner,
      sharesStandardOutput: this.options.accessLog === '/dev/stdout',
      events: {
        onPublished: () => this.onPublished(),
        onWarning: (message) => output.warning(message),
        onCrash: (reason) => output.warning(`the sidecar ended (${reason}); it is being started again`),
        onRecovered: (source) =>
          output.info(
            `the sidecar serves again${source === 'snapshot' ? ', from its last known configuration' : ''}`,
          ),
      },
    });
    let keepsLog = false;
    const endUpgrades = this.context.onUpgradeRequest?.(() => void this.upgrade(sidecar));
    try {
      const starting = sidecar.start();
      // Told to end meanwhile, we stop the sidecar ourselves, and that it never became ready is no news.
      starting.catch(() => undefined);
      const started = await Promise.race([starting, aborted(signal)]);
      if (typeof started === 'number') return started;
      this.identity = started.identity;
      // The application must not get past it in its first moments.
      await this.beginInterception();
      if (signal.aborted) return await aborted(signal);
      const application = startApplication(this.command, environment, output);
      sidecar.announceApplication();
      return await this.accompany(application, sidecar);
    } catch (error) {
      // It ended without a word to us: its log is all there is.
      keepsLog = error instanceof CliError && error.code === 'HEDDLE_SIDECAR_FAILED';
      throw error;
    } finally {
      // Nothing could connect to anything without the sidecar.
      await this.endInterception();
      await sidecar.stop(this.context.force?.aborted === true ? 0 : undefined);
      endUpgrades?.();
      if (!keepsLog) await removeSidecarDirectory(directory);
    }
  }

  private async beginInterception(): Promise<void> {
    const rules = planRules(this.options.intercept, this.plan.sidecar);
    if (rules === null) return;
    this.interception = await HeldInterception.begin(rules, clock);
    const { outboundPort, inboundPort } = rules.options;
    this.context.output.info(
      `all connections of this network namespace lead through the sidecar, by its ports ${outboundPort} and ${inboundPort}`,
    );
  }

  private async endInterception(): Promise<void> {
    await this.interception
      ?.end()
      .catch((error: unknown) =>
        this.context.output.warning(
          `the rules of the packet filter are not removed: ${errorMessage(error)}`,
          'try `heddle intercept remove`: until then nothing can connect',
        ),
      );
  }

  private async upgrade(sidecar: SidecarProcess): Promise<void> {
    const { output } = this.context;
    if (this.options.proxy !== 'heddle') {
      output.warning(
        `only Heddle's sidecar is replaced in place, not what stands beside --proxy ${this.options.proxy}`,
        'start another instance, and end this one',
      );
      return;
    }
    const failure = await sidecar.upgrade();
    if (failure === null)
      output.info('a new sidecar serves; the old one ends as soon as its connections have ended');
    else output.warning(`the sidecar is not replaced: ${failure}`);
  }

  private onPublished(): void {
    if (this.published) return;
    this.published = true;
    const { instance, appPort, namespace, service, servicePort } = this.plan.sidecar;
    this.context.output.info(`${instance} is published as ${service}.${namespace}:${servicePort}`);
    this.context.output.onPublished?.({ instance, identity: this.identity, appPort });
  }

  /** From the application's start to its end. */
  private async accompany(application: Application, sidecar: SidecarProcess): Promise<number> {
    const watching = new AbortController();
    void watchApplication({
      pid: application.pid,
      instance: this.plan.sidecar.instance,
      appPort: this.plan.sidecar.appPort,
      isCalled: this.options.port !== 0,
      isJudged: this.isJudged,
      isOwnProxy: this.options.proxy === 'grpc',
      store: this.options.store,
      isPublished: () => this.published,
      output: this.context.output,
      clock,
      signal: watching.signal,
    });
    const end = await Promise.race([application.ended, aborted(this.context.signal)]);
    watching.abort();
    sidecar.stopRestarting();
    if (typeof end !== 'number' && !this.context.signal.aborted) this.tellEnd(end);
    const orderly =
      typeof end === 'number'
        ? this.stopInOrder(application, sidecar)
        : this.leave(sidecar, withdrawTimeoutMs, shortDrainTimeoutMs).then(() => end);
    const force = this.context.force;
    const outcome = force === undefined ? await orderly : await Promise.race([orderly, aborted(force)]);
    if (typeof outcome !== 'number') return outcome.exitCode;
    application.signal('SIGKILL');
    await application.ended;
    return outcome;
  }

  /** Says that the application has ended without having been asked to. That a job is done is no news. */
  private tellEnd({ exitCode, signal }: ApplicationEnd): void {
    const isCalled = this.options.port !== 0;
    if (exitCode === 0 && !isCalled) return;
    const isEarly = isCalled && !this.published;
    const when = isEarly ? ` before it accepted connections on port ${this.plan.sidecar.appPort}` : '';
    const message = `the application ended (${signal ?? `exit code ${exitCode}`})${when}`;
    if (exitCode === 0 && !isEarly) this.context.output.info(message);
    else this.context.output.warning(message);
  }

  private async stopInOrder(application: Application, sidecar: SidecarProcess): Promise<ApplicationEnd> {
    const timer = clock.setTimer(slowStopMs, () =>
      this.context.output.info(
        'ending: running requests and the application may take a while; Ctrl-C ends it at once',
      ),
    );
    try {
      return await this.stopStepByStep(application, sidecar);
    } finally {
      timer.cancel();
    }
  }

  private async stopStepByStep(application: Application, sidecar: SidecarProcess): Promise<ApplicationEnd> {
    // An application that ends meanwhile has nothing left to drain.
    await Promise.race([this.leave(sidecar, withdrawTimeoutMs, drainTimeoutMs), application.ended]);
    application.signal('SIGTERM');
    const ended = await within(clock, this.options.stopTimeoutMs, application.ended);
    if (ended !== undefined) return ended;
    this.context.output.warning(
      `the application did not end within ${this.options.stopTimeoutMs / 1000} s of SIGTERM; it is killed`,
    );
    application.signal('SIGKILL');
    return await application.ended;
  }

  /** Takes the instance out of the mesh, then lets running requests end. */
  private async leave(sidecar: SidecarProcess, withdrawMs: number, drainMs: number): Promise<void> {
    if (this.published) {
      const withdrawn = await sidecar.withdraw(withdrawMs);
      if (withdrawn?.acknowledged === false && withdrawn.waiting > 0) {
        this.context.output.warning(
          `${withdrawn.waiting} proxies have not acknowledged the withdrawal; requests of theirs may fail`,
        );
      }
    }
    const open = await sidecar.drain(drainMs);
    if (open !== undefined && open > 0) {
      this.context.output.warning(`${open} requests were still running when the time for draining was up`);
    }
  }
}
