-- How many pictures the cluster had that a name was proposed for; NULL of proposals from before this.
ALTER TABLE proposals ADD COLUMN size INTEGER;
