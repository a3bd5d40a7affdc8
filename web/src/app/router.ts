export const projectPath = (id: string): string => `/p/${id}`;
