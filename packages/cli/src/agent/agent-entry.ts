import { fileURLToPath } from 'node:url';

/** The program of an agent: started with the path of its options file as the only argument. */
export const agentEntry: string = fileURLToPath(new URL('./main.ts', import.meta.url));
