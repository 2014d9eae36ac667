/** Version of the data plane, as the control plane and the admin interface tell it. */
export const proxyVersion = '0.1.0';
