// Istio's Gateway: networking.istio.io v1, v1beta1 and v1alpha3, which are the same.
import { z } from 'zod';
import { textMap } from './fields.ts';
import { serverTls } from './server-tls.ts';
import { serverPort } from './service-port.ts';

const server = z.strictObject({
  port: serverPort,
  bind: z.string().optional(),
  hosts: z.array(z.string()),
  tls: serverTls.optional(),
  defaultEndpoint: z.string().optional(),
  name: z.string().optional(),
});

export const gatewaySpec = z.strictObject({
  servers: z.array(server).optional(),
  selector: textMap.optional(),
});

export type GatewaySpec = Readonly<z.infer<typeof gatewaySpec>>;
