// WorkloadGroup: what workloads of one sort that register themselves have in common.
import { z } from 'zod';
import { atMostOne, headerNameText, int32, nonEmpty, portNumber, textMap } from './fields.ts';
import { workloadTemplate } from './workload-entry.ts';

const atLeastZero = int32.min(0).optional();

const probe = z
  .strictObject({
    initialDelaySeconds: atLeastZero,
    timeoutSeconds: atLeastZero,
    periodSeconds: atLeastZero,
    successThreshold: atLeastZero,
    failureThreshold: atLeastZero,
    httpGet: z
      .strictObject({
        path: z.string().optional(),
        port: portNumber,
        host: z.string().optional(),
        scheme: z.enum(['', 'HTTP', 'HTTPS']).optional(),
        httpHeaders: z
          .array(z.strictObject({ name: headerNameText.optional(), value: z.string().optional() }))
          .optional(),
      })
      .optional(),
    tcpSocket: z.strictObject({ host: z.string().optional(), port: portNumber }).optional(),
    exec: z.strictObject({ command: z.array(nonEmpty) }).optional(),
    grpc: z.strictObject({ port: portNumber.optional(), service: z.string().optional() }).optional(),
  })
  .check(atMostOne(['httpGet', 'tcpSocket', 'exec', 'grpc']));

export const workloadGroupSpec = z.strictObject({
  metadata: z.strictObject({ labels: textMap.optional(), annotations: textMap.optional() }).optional(),
  template: workloadTemplate,
  probe: probe.optional(),
});

export type WorkloadGroupSpec = Readonly<z.infer<typeof workloadGroupSpec>>;
