/** What a schema infers, frozen: objects of the API are parsed once and never changed in place. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
