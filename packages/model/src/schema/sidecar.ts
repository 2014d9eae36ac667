// Sidecar: what a proxy listens on, and what it needs to know of the mesh.
import { z } from 'zod';
import { uint32 } from './fields.ts';
import { workloadSelector } from './selectors.ts';
import { serverTls } from './server-tls.ts';
import { sidecarPort } from './service-port.ts';
import { notYet } from './support.ts';
import { connectionPool } from './traffic-policy.ts';

const captureMode = z.enum(['DEFAULT', 'IPTABLES', 'NONE']);

const ingress = z.strictObject({
  port: sidecarPort,
  bind: z.string().optional(),
  captureMode: captureMode.optional(),
  defaultEndpoint: z.string().optional(),
  tls: serverTls.optional(),
  connectionPool: connectionPool.optional(),
});

const ownListeners = 'listeners of their own for some hosts';

const egress = z.strictObject({
  port: notYet(ownListeners, sidecarPort),
  bind: notYet(ownListeners, z.string()),
  captureMode: notYet(ownListeners, captureMode),
  hosts: z.array(z.string()),
});

export const sidecarSpec = z.strictObject({
  workloadSelector: workloadSelector.optional(),
  ingress: notYet('other listeners for what comes in', z.array(ingress)),
  egress: z.array(egress).optional(),
  inboundConnectionPool: notYet('limits of inbound connections', connectionPool),
  outboundTrafficPolicy: z
    .strictObject({
      mode: z.enum(['REGISTRY_ONLY', 'ALLOW_ANY']).optional(),
      egressProxy: notYet(
        'a proxy for hosts that are not known',
        z.strictObject({
          host: z.string(),
          subset: z.string().optional(),
          port: z.strictObject({ number: uint32.optional() }).optional(),
        }),
      ),
    })
    .optional(),
});

export type SidecarSpec = Readonly<z.infer<typeof sidecarSpec>>;
