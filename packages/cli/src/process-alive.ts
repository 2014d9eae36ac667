import { systemErrorCode } from '@heddle/base';

/** Whether a process with this number runs. It may be another than the one that was meant: numbers are used again. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
