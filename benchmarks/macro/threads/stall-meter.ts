/** The longest time a thread could not have moved a byte. */
export interface Stalls {
  /** By the clock: whatever kept the thread from its event loop, other processes included. */
  readonly wallMs: number;
  /** By the thread's own CPU time: what it did itself in one go, whatever else the machine was busy with. */
  readonly cpuMs: number;
}

/** The longest span between two turns of the event loop of the thread it runs on, looked at every millisecond. */
export class StallMeter {
  private wall = 0;
  private cpu = 0;
  private lastWall = performance.now();
  private lastCpu = process.threadCpuUsage();

  start(): void {
    setInterval(() => this.look(), 1);
  }

  /** The longest since the last call. */
  take(): Stalls {
    this.look();
    const stalls = { wallMs: this.wall, cpuMs: this.cpu };
    this.wall = 0;
    this.cpu = 0;
    return stalls;
  }

  private look(): void {
    const wall = performance.now();
    const { user, system } = process.threadCpuUsage(this.lastCpu);
    // The interval itself is no stall.
    this.wall = Math.max(this.wall, wall - this.lastWall - 1);
    this.cpu = Math.max(this.cpu, (user + system) / 1000);
    this.lastWall = wall;
    this.lastCpu = process.threadCpuUsage();
  }
}
